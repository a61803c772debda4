"""overview.html: all students and all checks, for the teacher."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lab.model.counted import counted
from lab.report.grades.csv_file import remarks_on
from lab.report.grades.held import HEAD, ways_held
from lab.report.grades.wording import LEGEND, cell_of, due_line, paragraphs, points, unseen
from lab.report.html.plain_page import PageSection, plain_page

if TYPE_CHECKING:
    from lab.grade.check import Check
    from lab.grade.mark import Grade
from lab.grade.sheet import Sheet


def overview_page(sheet: Sheet, grades: Sequence[Grade]) -> str:
    """The page: who has how many points, and of each check how many passed it."""
    checks = [_check_row(check, place, grades) for place, check in enumerate(sheet.checks)]
    head = ("check", "what is expected", "points", "passed", "not as expected", "undecided", "seen")
    sections = [
        PageSection("Students", _students(sheet, grades), _classes(grades), notes=[LEGEND]),
        PageSection("Checks", [head, *checks], notes=[*_notes(sheet)]),
        *([_misconceptions(sheet, grades)] if sheet.misconceptions else ()),
        *_held(sheet, grades),
        PageSection("What is to be handed in", notes=paragraphs(sheet.handed_in)),
    ]
    return plain_page(sheet.title, f"{sheet.title}: {counted(len(grades), 'file')}", "", sections)


def _students(sheet: Sheet, grades: Sequence[Grade]) -> list[tuple[str, ...]]:
    names = [check.name for check in sheet.checks]
    rows = [("student", "file", "score", "of", *names, "remarks")]
    for grade in grades:
        scores = points(grade.score), points(grade.max_score)
        rows.append(
            (grade.student, grade.file, *scores, *map(cell_of, grade.marks), remarks_on(grade))
        )
    return rows


def _classes(grades: Sequence[Grade]) -> list[str]:
    return ["second" if grade.score == grade.max_score else
            "first" if not grade.score else "other" for grade in grades]  # fmt: skip


def _check_row(check: Check, place: int, grades: Sequence[Grade]) -> tuple[str, ...]:
    marks = [grade.marks[place] for grade in grades]
    passed = sum(mark.passed for mark in marks)
    undecided = sum(mark.is_undecided for mark in marks)
    numbers = map(str, (passed, len(marks) - passed - undecided, undecided))
    return (check.name, check.sentence, points(check.points), *numbers, unseen(check) or "at once")


def _misconceptions(sheet: Sheet, grades: Sequence[Grade]) -> PageSection:
    """How many it was named to, of each, those of most first."""
    told = Counter(name for grade in grades for name in grade.misconceptions)
    known = sorted(sheet.misconceptions, key=lambda one: -told[one.name])
    rows = [("misconception", "students", "explains", "hint", "source")]
    rows += [
        (one.name, str(told[one.name]), ", ".join(one.explains), one.hint, one.source)
        for one in known
    ]
    return PageSection("Misconceptions", rows)


def _held(sheet: Sheet, grades: Sequence[Grade]) -> Iterator[PageSection]:
    """Which limits were in force: they differ where grades of several machines are together."""
    for way in ways_held(sheet, grades):
        yield PageSection(way.title, [HEAD, *way.rows], notes=way.notes)


def _notes(sheet: Sheet) -> Iterator[str]:
    if due := due_line(sheet):
        yield due
