"""What a failed expectation says: expected and actual, the ladder around the place, why, where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lab.analysis.causes.find import find_causes
from lab.ladder.brief import excerpt
from lab.report.terminal.drawing.ladder import draw_ladder
from lab.report.terminal.drawing.style import USUAL_COLUMNS, Style

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline
    from lab.ladder.model import Ladder
    from lab.model.claim import Verdict
    from lab.model.event import EventId

ROWS_BEFORE, ROWS_BEHIND = 4, 3
"""Of the ladder, so much is shown around the event."""
_INDENT = "  "


def failure_text(
    sentence: str,
    verdict: Verdict,
    ladders: Sequence[Ladder],
    timelines: Sequence[Timeline] = (),
    files: Sequence[str] = (),
) -> str:
    """The text of a failure, in lines of 80 columns at most but for names and values.

    `files` are paths to look further, each with what it is: "capture: runs/…/recording.pcapng".
    """
    style = Style(USUAL_COLUMNS, False)
    lines = [f"{verdict.outcome.value}: {sentence}", f"{_INDENT}{verdict.why}"]
    lines += _side_by_side(verdict)
    lines += _around(verdict.evidence, ladders, style)
    return "\n".join([*lines, *further_lines(timelines, files, verdict.evidence)])


def further_lines(
    timelines: Sequence[Timeline], files: Sequence[str], evidence: Sequence[EventId] = ()
) -> Iterator[str]:
    """Below a failure that these events show: why what surprised went so, and the files."""
    style = Style(USUAL_COLUMNS, False)
    for timeline in timelines:
        for cause in find_causes(timeline):
            yield ""
            yield from style.wrap(cause.below_a_failure(evidence), style.width)
    if files:
        yield ""
        yield from files


def _side_by_side(verdict: Verdict) -> Iterator[str]:
    if not verdict.compared:
        return
    columns = max(len(each.what) for each in verdict.compared)
    blank = " " * columns
    yield ""
    for each in verdict.compared:
        yield f"{_INDENT}{each.what:<{columns}}  expected: {each.expected}"
        yield f"{_INDENT}{blank}  actual:   {each.actual}"


def _around(evidence: Sequence[EventId], ladders: Sequence[Ladder], style: Style) -> Iterator[str]:
    """The rows around the first event of the evidence that a ladder has."""
    shown = excerpt(ladders, evidence, ROWS_BEFORE, ROWS_BEHIND)
    if shown is not None:
        yield ""
        for line in draw_ladder(shown, style):
            yield line.plain
