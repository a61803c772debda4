"""The numbers are those of the kernel's own headers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab.errors import MachineError
from lab.syscalls import numbers as syscall_numbers
from lab.syscalls.numbers import NUMBERS, OTHER_NUMBERS, numbers
from lab.syscalls.table import CALLS

INCLUDE = Path("/usr/include")
HEADERS = {
    "x86_64": INCLUDE / "x86_64-linux-gnu/asm/unistd_64.h",
    "aarch64": INCLUDE / "asm-generic/unistd.h",
}
OLDER_CALLS = {"poll", "select", "pipe", "dup2", "epoll_create", "epoll_wait"}
"""Those that a machine whose support is younger than their replacements does not have."""


@pytest.mark.parametrize("machine", HEADERS)
def test_the_kernel_s_headers_have_the_same_numbers(machine: str) -> None:
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
    defined: dict[str, int] = {}
    for name, number in found:
        defined.setdefault(name, int(number))
    ours = NUMBERS[machine] | OTHER_NUMBERS[machine]
    assert ours == {name: defined.get(name) for name in ours}


def test_every_traced_call_has_a_number_where_the_machine_has_the_call() -> None:
    assert set(NUMBERS["x86_64"]) == set(CALLS)
    assert set(NUMBERS["aarch64"]) == set(CALLS) - OLDER_CALLS


def test_an_unknown_machine_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syscall_numbers, "NUMBERS", {"z80": {}})
    with pytest.raises(MachineError, match="the lab has their numbers for z80 only"):
        numbers()
