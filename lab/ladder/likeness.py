"""What rows of a ladder have in common: by that, repetition is found."""

from __future__ import annotations

from collections.abc import Hashable

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import Segment
from lab.frozen import frozen
from lab.ladder.model import CallRow, EventRow, FrameRow

_PSH = int(TcpFlags.PSH)


@frozen
class Likeness:
    """What a row has in common with others."""

    kind: Hashable
    """Equal for rows that repeat each other; None for one that is never left out."""
    text: str
    """All that it says but its time and number."""


def always(row: EventRow) -> Likeness:
    """That of a row that is never left out: a state, a queue, a drop, and what has a note."""
    return Likeness(None, str(row.event))


def of_call(row: CallRow, call: SystemCall) -> Likeness:
    """Reads and sends are like others of their socket; other calls like those that say the same."""
    text = f"{row.text} = {row.result}" if row.result else row.text
    said = (call.name, call.descriptor) if call.moved else text
    return Likeness((row.part, call.program, call.tid, call.socket, said), text)


def of_frame(row: FrameRow, segment: Segment | None) -> Likeness:
    """Segments are like others that carry bytes, or none; other frames must say the same."""
    way = (row.source, row.target, row.is_forward, row.is_lost)
    if segment is None:
        return Likeness((row.part, way, row.text), f"{row.text} {row.payload!r}")
    kind = (
        row.part,
        row.connection,
        way,
        int(segment.flags) & ~_PSH,
        segment.length > 0,
        row.notes,
        row.phase,
    )
    return Likeness(kind, f"{row.text} {row.payload!r}")
