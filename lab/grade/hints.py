"""Which misconceptions show in a submission, and beside which checks they are named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.grade.judging import OutOfTime, TimeLimit, call_of_sheet, said_of_error
from lab.grade.mark import Hint, Mark
from lab.grade.seen import Blame, NothingSeen, Seen

if TYPE_CHECKING:
    from lab.grade.misconception import Misconception
    from lab.grade.sheet import Sheet
    from lab.grade.trial import Trial

MOST_HINTS = 2
"""Of misconceptions, for one check."""


def give_hints(
    sheet: Sheet,
    marks: Sequence[Mark],
    look: Callable[[Trial], Seen],
    limit: TimeLimit = nullcontext,
) -> tuple[tuple[Mark, ...], tuple[str, ...]]:
    """The marks with hints, and what failed in the sheet itself, a line each.

    A misconception is looked for only where a check that it explains did not pass. They keep the
    sheet's order; those that another one stands instead of are left out. Raises OutOfTime, and
    what `look` does.
    """
    failed = {mark.check.name for mark in marks if _is_students(mark)}
    shown: list[tuple[Misconception, str]] = []
    faults: list[str] = []
    for one in sheet.misconceptions:
        if failed.isdisjoint(one.explains):
            continue
        try:
            found = _shows(one, look, limit)
        except (OutOfTime, KeyboardInterrupt):
            raise
        except BaseException as error:
            faults.append(f"the misconception {one.name!r} failed itself: {said_of_error(error)}")
            continue
        if found:
            shown.append((one, "" if found is True else str(found)))
    left_out = {name for one, _ in shown for name in one.instead_of}
    hints = [
        (one, Hint(one.hint, one.name, evidence, one.source))
        for one, evidence in shown
        if one.name not in left_out
    ]

    def hinted(mark: Mark) -> Mark:
        if not _is_students(mark):
            return mark
        name = mark.check.name
        return replace(
            mark, hints=tuple(h for one, h in hints if name in one.explains)[:MOST_HINTS]
        )

    return tuple(map(hinted, marks)), tuple(faults)


def _is_students(mark: Mark) -> bool:
    return not (mark.passed or mark.is_sheets_fault or mark.is_labs_fault)


def _shows(one: Misconception, look: Callable[[Trial], Seen], limit: TimeLimit) -> object:
    """What its function says; False where there is nothing that it could tell by."""
    seen = [*map(look, one.trials)]
    if any(each.failed and each.failed.blame is not Blame.SUBMISSION for each in seen):
        return False
    try:
        with limit():
            return call_of_sheet(one.shows, *seen)
    except (NothingSeen, AssertionError):
        return False
