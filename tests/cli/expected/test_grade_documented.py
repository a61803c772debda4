"""docs/grading-programs.md: its sheet is one, and its command prints what is printed there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from handed_in import RIGHT, WRONG, hand_in
from house import ROOT

from lab.grade.submission import LANGUAGES
from lab.grading.programs import MOST_CPU_S

pytestmark = pytest.mark.kernel

TEXT = (ROOT / "docs/grading-programs.md").read_text("utf-8")
(SHEET,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
BLOCKS = re.findall(r"(?:^    .*\n)+", TEXT.replace(SHEET, ""), re.MULTILINE)


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


def test_what_it_names_is_there() -> None:
    for name in LANGUAGES:
        assert f"`{name}`" in TEXT
    assert f"more than {MOST_CPU_S:g} s of the processor's time" in TEXT
