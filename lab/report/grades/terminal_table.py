"""Grades and checks as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from lab.model.table import Table
from lab.report.grades.csv_file import remarks_on
from lab.report.grades.held import HEAD, ways_held
from lab.report.grades.wording import LEGEND, cell_of, due_line, paragraphs, points, unseen
from lab.report.terminal.tables import draw_table

if TYPE_CHECKING:
    from datetime import datetime

    from lab.grade.check import Check
    from lab.grade.mark import Grade
    from lab.grade.sheet import Sheet
    from lab.report.terminal.drawing.style import Style


def draw_grades(sheet: Sheet, grades: Sequence[Grade], style: Style) -> Iterator[Text]:
    """A line for each student, and below one for each of whom something is to be said."""
    names = [check.name for check in sheet.checks]
    rows = [
        (
            style.cut(grade.student, style.width // 3),
            *map(cell_of, grade.marks),
            f"{points(grade.score)}/{points(grade.max_score)}",
        )
        for grade in grades
    ]
    has_all = all(mark.passed for grade in grades for mark in grade.marks)
    notes = [] if has_all else [LEGEND]
    wide = max((len(row[0]) for row in rows), default=0) + sum(len(name) + 2 for name in names)
    if wide + _SCORE_COLUMNS > style.width:
        notes.append(", ".join(f"{n} {name}" for n, name in enumerate(names, 1)))
        names = [str(number) for number, _ in enumerate(names, 1)]
    yield Text(style.cut(sheet.title, style.width), "bold")
    yield from draw_table(Table(("student", *names, "score"), tuple(rows), tuple(notes)), style)
    for grade in grades:
        if said := remarks_on(grade):
            for line in style.wrap(f"{grade.student}: {said}", style.width, "  "):
                yield Text(line)


def draw_held(sheet: Sheet, grades: Sequence[Grade], style: Style) -> Iterator[Text]:
    """Which limits were in force, and what held programs besides; nothing of captures."""
    for way in ways_held(sheet, grades):
        yield Text()
        yield Text(way.title, "bold")
        yield from draw_table(Table(HEAD, tuple(way.rows), tuple(way.notes)), style)


def draw_checks(
    sheet: Sheet, checks: Sequence[Check], now: datetime, style: Style
) -> Iterator[Text]:
    """Checks as students see them; of what they do not see, when they will."""
    yield Text(style.cut(sheet.title, style.width), "bold")
    for paragraph in filter(None, (*paragraphs(sheet.handed_in), due_line(sheet))):
        for line in style.wrap(paragraph, style.width):
            yield Text(line)
    for check in checks:
        worth = points(check.points)
        yield Text()
        yield Text(f"{check.name} ({worth} {'point' if worth in _ONE else 'points'})", "bold blue")
        if not sheet.shows(check, now):
            yield from _indented(f"Not shown now: {unseen(check)}.", style)
        yield from _indented(check.sentence, style)
        for trial in check.trials:
            yield from _indented(f"Tried: {trial.sentence}", style)
        if check.source:
            yield from _indented(f"Source: {check.source}", style)
        if check.hint:
            yield from _indented(f"Where it does not pass: {check.hint}", style)


_ONE = frozenset({"1"})
_SCORE_COLUMNS = 10
"""For the last column, "100/100"."""


def _indented(text: str, style: Style) -> Iterator[Text]:
    for line in style.wrap(text, style.width - 2):
        yield Text(f"  {line}")
