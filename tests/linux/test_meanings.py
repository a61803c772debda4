from __future__ import annotations

from pathlib import Path

import pytest

from lab.linux.meanings import _ROWS, MEANINGS

DOCS = Path(__file__).parents[2] / "docs" / "counters.md"


def test_each_counter_is_explained_once_with_a_source() -> None:
    assert len(MEANINGS) == len(_ROWS) > 60
    for name, (text, source) in MEANINGS.items():
        assert name.isascii()
        assert text
        assert not text.endswith(".")
        assert source.startswith(("RFC ", "Linux, ")), name


def test_a_source_in_the_kernels_page_of_counters_names_the_counter_itself() -> None:
    for name, (_, source) in MEANINGS.items():
        if "snmp_counter" in source:
            assert source.endswith(f", {name}"), name


def test_the_documented_table_is_this_one() -> None:
    rows = [
        f"| `{'*' if name.startswith(':') else ''}{name}` | {text} | {source} |"
        for name, (text, source) in MEANINGS.items()
    ]
    lines = DOCS.read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("| `")] == rows


@pytest.mark.kernel
def test_this_kernel_has_most_of_them() -> None:
    found: set[str] = set()
    for file in ("netstat", "snmp"):
        lines = Path("/proc/net", file).read_text("ascii").splitlines()
        for line in lines[::2]:
            group, _, names = line.partition(":")
            found.update(group + name for name in names.split())
    found.update(Path("/proc/net/snmp6").read_text("ascii").split()[::2])
    known = {name for name in MEANINGS if not name.startswith(":")}
    assert len(known & found) > 60
    assert len(known - found) < len(known) // 4
