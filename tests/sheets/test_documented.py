"""docs/sheets.md: its tables are the sheets', and so is what they ask for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sheet_tables import SHEETS, checks_table, misconceptions_table

from lab.grade.sheet import Sheet
from lab.grading.sheet_file import load_sheet

PAGE = (Path(__file__).parents[2] / "docs/sheets.md").read_text("utf-8")


@pytest.fixture(params=["tcp_echo", "udp_transfer"])
def sheet(request: pytest.FixtureRequest) -> Sheet:
    return load_sheet(str(SHEETS / f"{request.param}.py"))


def test_the_tables_are_those_of_the_sheet(sheet: Sheet) -> None:
    assert checks_table(sheet) in PAGE
    assert misconceptions_table(sheet) in PAGE


def test_what_is_asked_for_is_said_there_word_by_word(sheet: Sheet) -> None:
    assert " ".join(sheet.handed_in.split()) in " ".join(
        re.sub("^> ?", "", PAGE, flags=re.MULTILINE).split()
    )
    assert sheet.title in PAGE


def test_every_misconception_explains_checks_that_there_are(sheet: Sheet) -> None:
    names = {check.name for check in sheet.checks}
    for each in sheet.misconceptions:
        assert set(each.explains) <= names, each.name
        assert set(each.instead_of) <= {other.name for other in sheet.misconceptions}, each.name
