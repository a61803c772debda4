"""Two runs against each other, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.cells import cell_len
from rich.text import Text

from lab.analysis.difference.difference import Aligned, Compared, Found, RunDifference
from lab.model.counted import counted
from lab.report.terminal.drawing.style import Style

_SIGNS = {Found.BOTH: " ", Found.FIRST: "-", Found.SECOND: "+", Found.OTHERWISE: "≠"}
_COLOURS = {Found.BOTH: "dim", Found.FIRST: "red", Found.SECOND: "green", Found.OTHERWISE: "yellow"}
AROUND = 2
"""As many events are shown before and after one that differs."""


def draw_difference(difference: RunDifference, style: Style) -> Iterator[Text]:
    """What differs, with a little of what is the same around it; counts and times whole."""
    changed = [each for each in difference.claims if each.found is not Found.BOTH]
    yield style.heading("Claims")
    same = len(difference.claims) - len(changed)
    yield Text(f"  {counted(same, 'verdict')} the same", "dim")
    yield from _draw_compared(changed, style)
    for step in difference.steps:
        yield Text()
        yield style.heading(step.step)
        yield from _draw_compared(step.measures, style)
        yield from _draw_aligned("frames", step.frames, style)
        if step.states:
            yield from _draw_aligned("TCP states", step.states, style)
    if difference.is_same:
        yield Text()
        yield Text("Nothing differs but times.", "bold green")


def _draw_compared(rows: Sequence[Compared], style: Style) -> Iterator[Text]:
    wide = max((cell_len(cell) for each in rows for cell in (each.first, each.second)), default=0)
    room = style.width - 2 * wide - 8
    for each in rows:
        name, *more = style.wrap(each.name, room)
        line = f"{style.drawn(_SIGNS[each.found])} {name:<{room}}  {each.first:>{wide}}  "
        yield Text(f"{line}{each.second:>{wide}}", _COLOURS[each.found])
        for piece in more:
            yield Text(f"  {piece}", _COLOURS[each.found])


def _draw_aligned(what: str, events: Sequence[Aligned], style: Style) -> Iterator[Text]:
    differing = {place for place, each in enumerate(events) if each.found is not Found.BOTH}
    same = len(events) - len(differing)
    yield Text(f"  {what}: {same} the same, {len(differing)} in one run alone", "bold")
    near = [any(abs(place - each) <= AROUND for each in differing) for place in range(len(events))]
    for is_near, group in groupby(zip(events, near, strict=True), key=lambda each: each[1]):
        if not is_near:
            count = len(list(group))
            if differing:
                yield Text(f"    ... {count} the same", "dim")
            continue
        for each, _ in group:
            sign = _SIGNS[each.found]
            yield Text(f"  {sign} {style.cut(each.text, style.width - 4)}", _COLOURS[each.found])
