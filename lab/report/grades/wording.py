"""What is said of marks and points, wherever it is said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lab.grade.check import Visibility

if TYPE_CHECKING:
    from datetime import datetime

    from lab.grade.check import Check
    from lab.grade.mark import Hint, Mark
from lab.grade.sheet import Sheet

_WHEN = {
    Visibility.HIDDEN: "students never see it",
    Visibility.AFTER_DUE_DATE: "students see it once the deadline is over",
    Visibility.AFTER_PUBLISHED: "students see it once grades are published",
}


def points(number: float) -> str:
    """ "2", "0.5"."""
    return str(int(number) if number == int(number) else number)


LEGEND = "Numbers are points; - is not as expected, ? is undecided: neither has points."


def cell_of(mark: Mark) -> str:
    """A mark in a table that has LEGEND below it."""
    if mark.passed:
        return points(mark.score)
    return "?" if mark.is_undecided else "-"


def said_of(mark: Mark) -> str:
    """A mark in lines: passed or why not, and the hints."""
    if mark.passed:
        return f"Passed: {mark.why}"
    text = mark.text or f"{mark.outcome.value}: {mark.check.sentence}\n  {mark.why}"
    return "\n\n".join((text, *mark.ended, *map(hint_line, mark.told)))


def hint_line(hint: Hint) -> str:
    """What a student reads, by what it was seen, and where to read on."""
    seen = f" Seen: {hint.evidence}." if hint.evidence else ""
    source = f" Source: {hint.source}" if hint.source else ""
    return f"Hint: {hint.text}{seen}{source}"


def unseen(check: Check) -> str:
    """When students see a check; "" where they see it at once."""
    return _WHEN.get(check.seen, "")


def due_line(sheet: Sheet) -> str:
    """The deadline in a line; "" where there is none."""
    return "" if sheet.due is None else f"To be handed in by {sheet.due:%Y-%m-%d %H:%M %z}."


def shown_marks(sheet: Sheet, marks: Iterable[Mark], now: datetime) -> list[Mark]:
    """Those that students may see at that moment."""
    return [mark for mark in marks if sheet.shows(mark.check, now)]


def paragraphs(text: str) -> list[str]:
    """What a sheet says in several lines: its paragraphs, and each indented line by itself."""
    found: list[str] = []
    is_open = False
    for line in text.splitlines():
        is_indented = line[:1].isspace()
        if is_open and line.strip() and not is_indented:
            found[-1] += f" {line.strip()}"
        elif line.strip():
            found.append(line.rstrip())
        is_open = bool(line.strip()) and not is_indented
    return found
