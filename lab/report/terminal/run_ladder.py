"""The part of a report that is about one step's calls and frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.text import Text

from lab.analysis.timeline import Timeline
from lab.ladder.background import without_background
from lab.ladder.brief import MOST_ROWS as BRIEF_ROWS
from lab.ladder.brief import brief
from lab.ladder.build import build_ladder
from lab.ladder.model import Ladder
from lab.ladder.repetition import MOST_ROWS
from lab.model.counted import counted
from lab.report.terminal.byte_table import draw_bytes
from lab.report.terminal.drawing.ladder import draw_ladder
from lab.report.terminal.drawing.legend import draw_legend, legend_of
from lab.report.terminal.drawing.style import Style


def what_is_drawn(ladder: Ladder) -> str:
    """The heading of a ladder."""
    if ladder.has_calls:
        return "What was called, and what went over the wire"
    return "What went over the wire"


def draw_brief_ladder(ladder: Ladder, style: Style, title: str = "") -> Iterator[Text]:
    """A ladder of `lab.ladder.brief` under its heading, which counts the calls that it leaves out.

    Nothing where there are neither frames nor calls.
    """
    if not ladder.rows:
        return
    left_out = sum(each.calls for each in ladder.background)
    more = f" ({counted(left_out, 'call')} more with -v)" if left_out else ""
    yield style.heading((title or what_is_drawn(ladder)) + more)
    yield from draw_ladder(ladder, style)


def draw_so_far(timelines: Iterable[Timeline], style: Style) -> Iterator[Text]:
    """The ladders of what was recorded until now, as in a brief page."""
    for timeline in timelines:
        ladder = build_ladder(timeline)
        if not ladder.rows:
            yield Text("Nothing so far.")
        yield from draw_brief_ladder(brief(ladder, BRIEF_ROWS), style, "So far")


def draw_run_ladder(
    timeline: Timeline, ladder: Ladder, style: Style, explained: set[str] | None = None
) -> Iterator[Text]:
    """The heading, the ladder, and how the bytes went as far as that is known.

    Signs that are in `explained` are not explained again; the others are added to it.
    """
    yield Text()
    yield style.heading(what_is_drawn(ladder))
    if not timeline.crossings:
        yield Text("  Nothing: not one frame between the canaries.")
    legend = list(draw_legend(_unexplained(legend_of(ladder, style), explained), style))
    for each in ladder.background:
        text = f"  {counted(each.calls, 'call')} {each.what}: see report.json"
        legend.append(Text(text, "bold yellow"))
    yield from draw_ladder(ladder, style, legend)
    if ladder.has_calls:
        outer = without_background(timeline, MOST_ROWS)[0] if ladder.background else timeline
        yield from draw_bytes(outer, style)


def _unexplained(clauses: Iterable[str], explained: set[str] | None) -> list[str]:
    """The clauses that are not in `explained`, to which they are added."""
    new = [clause for clause in clauses if clause not in (explained or ())]
    if explained is not None:
        explained.update(new)
    return new
