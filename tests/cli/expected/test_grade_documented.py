"""docs/grading-programs.md: its sheet is one, and its command prints what is printed there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from handed_in import RIGHT, WRONG, hand_in
from house import ROOT

from lab.grade.submission import BUILD, LANGUAGES
from lab.grading.building import SYSTEM_PATH, make_ready
from lab.grading.member_name import IGNORED_FILES, IGNORED_FOLDERS, IGNORED_START, Sizes
from lab.grading.programs import MOST_CPU_S

pytestmark = pytest.mark.kernel

TEXT = (ROOT / "docs/grading-programs.md").read_text("utf-8")
SHEET, LANGUAGE = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
BLOCKS = re.findall(r"(?:^    .*\n)+", TEXT.replace(SHEET, "").replace(LANGUAGE, ""), re.MULTILINE)


def test_its_command_prints_the_table_that_is_shown(tmp_path: Path) -> None:
    (tmp_path / "sheet.py").write_text(SHEET, "utf-8")
    hand_in(tmp_path / "handed-in", ann=RIGHT, bob=WRONG["loopback"], cem_c="int main(")
    (command, shown) = BLOCKS
    words = command.strip().removeprefix("wirelab ")
    done = subprocess.run(
        ["sh", "-c", f'exec "{sys.executable}" -m lab {words}'],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "80", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == re.sub("^    ", "", shown, flags=re.MULTILINE)


@pytest.mark.skipif(not shutil.which("c++", path=SYSTEM_PATH), reason="no compiler of C++")
def test_its_language_is_built(tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    exec(LANGUAGE, names)
    source = "#include <iostream>\nint main() { std::cout << 1; }\n"
    (tmp_path / "ann.cc").write_text(source)
    ready = make_ready(names["SUBMISSION"], tmp_path)
    assert (ready.built.language, ready.built.has_failed) == ("C++", False), ready.built.output
    assert ready.command == "./echo_server" and (tmp_path / "echo_server").is_file()


def test_what_is_refused_and_left_out_is_as_it_says() -> None:
    most, text = Sizes(), " ".join(TEXT.split())
    for said in (
        f"{most.name} bytes in a part",
        f"deeper than {most.depth} folders",
        f"a file has more than {most.file_mib} MiB",
        f"itself more than {most.total_mib} MiB",
        f"more than {most.files} files and folders",
        f"more than {most.ratio} times",
        f"{BUILD.memory_mib} MiB",
        f"begin with `{IGNORED_START}`",
    ):
        assert said in text
    (left_out,) = re.findall(r"^Left out.*?\n\n", TEXT, re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"`([^`]+)`", left_out))
    assert named == IGNORED_FOLDERS | IGNORED_FILES | {IGNORED_START}


def test_what_it_names_is_there() -> None:
    for name in LANGUAGES:
        assert f"`{name}`" in TEXT
    assert f"more than {MOST_CPU_S:g} s of the processor's time" in TEXT
