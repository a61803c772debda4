"""What happened, and why: the causes of a run, in brief and in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from lab.analysis.causes.find import find_causes
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.causes.facts.cause import Cause
    from lab.analysis.timeline import Timeline
    from lab.report.terminal.drawing.style import Style

HEADING = "What happened, and why"
MOST_CAUSES = 3
"""So many are shown at first, those that are most surprising."""

_INDENT = "  "


def draw_causes_briefly(timelines: Sequence[Timeline], style: Style) -> Iterator[Text]:
    """The most surprising causes of all steps, with the step's name where there are several."""
    found = [(each.step, cause) for each in timelines for cause in find_causes(each)]
    if not found:
        return
    found.sort(key=lambda each: -each[1].surprise)
    left_out = len(found) - MOST_CAUSES
    more = f" ({counted(left_out, 'cause')} more with -v)" if left_out > 0 else ""
    yield style.heading(HEADING + more)
    for step, cause in found[:MOST_CAUSES]:
        prefix = f"{step}: " if len(timelines) > 1 else ""
        yield from _draw(prefix, cause, style, f"{cause.source}{_to_decide(cause)}")


def draw_causes(timeline: Timeline, style: Style) -> Iterator[Text]:
    """All of a step, each with its source and the events that show it."""
    found = find_causes(timeline)
    if found:
        yield Text()
        yield style.heading(HEADING)
    for cause in found:
        yield from _draw("", cause, style, f"{cause.name}: {cause.basis}")


def _draw(prefix: str, cause: Cause, style: Style, below: str) -> Iterator[Text]:
    first, *others = style.wrap(prefix + cause.sentence, style.width - len(_INDENT))
    yield Text(_INDENT + first)
    yield from _indented(others, "")
    yield from _indented(style.wrap(below, style.width - 2 * len(_INDENT)), "dim")


def _indented(lines: Iterable[str], how: str) -> Iterator[Text]:
    for line in lines:
        yield Text(_INDENT * (2 if how else 1) + line, how)


def _to_decide(cause: Cause) -> str:
    return "" if cause.is_certain else f". To decide it: {cause.decided_by}"
