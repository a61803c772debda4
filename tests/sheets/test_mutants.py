"""The mutants are what they are said to be: right programs, but for a few lines."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from mutants import RIGHT, ROOT, WRONG, Mutant, mutants_of, solutions_of

SHEETS = tuple(WRONG)
EVERY = [(sheet, mutant) for sheet in SHEETS for mutant in mutants_of(sheet)]


@pytest.mark.parametrize(("sheet", "mutant"), EVERY, ids=str)
def test_a_mutant_differs_in_a_few_lines_from_a_right_program(sheet: str, mutant: Mutant) -> None:
    assert mutant.base in RIGHT[sheet]
    right = (ROOT / mutant.base).read_text("utf-8").splitlines()
    changed = set(right) ^ set(mutant.text().splitlines())
    assert 0 < len(changed) <= 16
    if mutant.end == ".py":
        compile(mutant.text(), str(mutant), "exec")


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_those_in_c_have_no_errors(tmp_path: Path) -> None:
    texts = [mutant.text() for _, mutant in EVERY if mutant.end == ".c"]
    files = [tmp_path / f"{number}.c" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, "utf-8")
    done = subprocess.run(
        ["cc", "-std=gnu17", "-fsyntax-only", *files],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("sheet", SHEETS)
def test_each_has_a_name_of_its_own(sheet: str) -> None:
    names = [str(mutant) for mutant in mutants_of(sheet)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_sheet_comes_with_two_right_solutions_and_five_wrong_ones(sheet: str) -> None:
    mistakes = solutions_of(sheet)
    assert [*mistakes.values()].count("") == 2
    wrong = {*mistakes.values()} - {""}
    assert len(wrong) == 5
    assert wrong <= {mutant.misconception for mutant in mutants_of(sheet)}
