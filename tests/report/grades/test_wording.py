from __future__ import annotations

from dataclasses import replace

import pytest
from graded import NOW, SHEET, graded, refused

from lab.report.grades.wording import (
    cell_of,
    due_line,
    paragraphs,
    points,
    said_of,
    shown_marks,
    unseen,
)


@pytest.mark.parametrize(
    ("number", "said"), [(2, "2"), (2.0, "2"), (0.5, "0.5"), (1234.25, "1234.25"), (0, "0")]
)
def test_points_are_as_short_as_they_can_be(number: float, said: str) -> None:
    assert points(number) == said


def test_a_mark_says_why_and_the_hint_where_it_does_not_pass() -> None:
    opens, ends, *_ = graded("half-close4").marks
    assert said_of(opens).startswith("Passed: ") and "Hint" not in said_of(opens)
    assert said_of(ends).startswith("BROKEN: ") and said_of(ends).endswith("Hint: close both sides")
    said = said_of(refused().marks[3])
    assert said == f"UNDECIDED: {SHEET.checks[3].sentence}\n  it is no capture"


def test_what_ended_the_submission_is_said_before_the_hint() -> None:
    mark = replace(graded("half-close4").marks[1], ended=("The program server crashed.",))
    assert said_of(mark).endswith("\n\nThe program server crashed.\n\nHint: close both sides")


def test_a_cell_has_points_or_says_why_it_has_none() -> None:
    assert list(map(cell_of, graded("half-close4").marks)) == ["2", "-", "-", "1"]
    assert list(map(cell_of, refused().marks)) == ["?"] * 4


def test_when_checks_and_the_deadline_are() -> None:
    assert [unseen(check) for check in SHEET.checks] == [
        "", "", "students never see it", "students see it once the deadline is over",
    ]  # fmt: skip
    assert due_line(SHEET) == "To be handed in by 2026-12-24 12:00 +0000."
    assert due_line(replace(SHEET, deadline=None, checks=SHEET.checks[:2])) == ""


def test_marks_are_shown_as_the_sheet_says() -> None:
    marks = graded("tcp4").marks
    assert shown_marks(SHEET, marks, NOW) == list(marks[:2])
    assert shown_marks(SHEET, marks, NOW.replace(year=2027)) == [*marks[:2], marks[3]]


def test_a_text_of_several_lines_has_paragraphs_and_indented_lines() -> None:
    text = "One paragraph\nin two lines.\n\n  a   1\n  b   2\nAnother.\n"
    assert paragraphs(text) == ["One paragraph in two lines.", "  a   1", "  b   2", "Another."]
    assert paragraphs("One.") == ["One."]
    assert paragraphs("") == []
