"""Right programs have all points and no hint, mutants the hint of their own misconception."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from mutants import mutants_of

from tests.sheets.matrix import SHEETS, told

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler"),
]


@pytest.mark.parametrize("sheet", SHEETS)
def test_who_is_told_what(sheet: str, tmp_path: Path) -> None:
    # Root's other half, the mutants, is `make matrix`: how a sheet judges is no matter of the user.
    mutants = "none" if os.getuid() == 0 else "first"
    found = told(sheet, tmp_path, mutants=mutants)
    assert not [str(each) for each in found if not each.is_well]
    assert sum(bool(each.wanted) for each in found) >= 5
    if mutants == "first":
        wrong = [each for each in found if each.wanted]
        assert sum(bool(each.others) for each in wrong) <= len(wrong) // 10


@pytest.mark.parametrize(("sheet", "least"), [("tcp_echo", 15), ("udp_transfer", 10)])
def test_the_catalogue_is_long_enough(sheet: str, least: int) -> None:
    assert len({mutant.misconception for mutant in mutants_of(sheet)}) >= least
