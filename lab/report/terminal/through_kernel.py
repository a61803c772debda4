"""Bytes that no wire carried: from one program to another through the kernel alone."""

from __future__ import annotations

from dataclasses import dataclass

from lab.analysis.timeline import Timeline
from lab.model.event import EventId
from lab.report.terminal.sides import Sides
from lab.report.terminal.style import Style


@dataclass(frozen=True, slots=True)
class Passage:
    """What one read returned of what was written into a unix socket or a pipe."""

    moved: int
    """Bytes."""
    from_right: bool
    to_right: bool


def passages_of(timeline: Timeline, sides: Sides) -> dict[EventId, Passage]:
    """Passages by the ids of the calls that read, for channels without a wire."""
    call_of = {call.id: call for call in timeline.system_calls}
    return {
        read: Passage(call_of[read].moved, part.call in sides.calls, read in sides.calls)
        for channel in timeline.joins.channels
        if channel.carried is None
        for part in channel.parts
        for read in part.reads
        if read in call_of
    }


def draw_passage(passage: Passage, columns: int, style: Style) -> str:
    """An arrow between the lanes, dotted; without a head where both ends are on one side."""
    count = f"{passage.moved} byte{'' if passage.moved == 1 else 's'} through the kernel"
    if passage.from_right == passage.to_right:
        told = f"·· {count} ··"
        shown = told.rjust(columns) if passage.to_right else told
    elif passage.to_right:
        shown = f"{f' {count} ':·^{columns - 1}}▶"
    else:
        shown = f"◀{f' {count} ':·^{columns - 1}}"
    return style.drawn(shown)
