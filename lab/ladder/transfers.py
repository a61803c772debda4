"""Local transfers: bytes from one program to another that no wire carried."""

from __future__ import annotations

from collections.abc import Callable

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.timeline import Timeline
from lab.ladder.model import TransferRow
from lab.model.event import EventId


def transfers_of(
    timeline: Timeline, lane_of: Callable[[SystemCall], int]
) -> dict[EventId, TransferRow]:
    """What each read returned of what was written into a unix socket or a pipe.

    By the ids of the calls that read.
    """
    call_of = {call.id: call for call in timeline.system_calls}
    writes: dict[EventId, list[EventId]] = {}
    for channel in timeline.correlation.channels:
        for part in channel.parts if channel.carried is None else ():
            for read in part.reads:
                if read in call_of and part.call in call_of:
                    writes.setdefault(read, []).append(part.call)
    return {
        read: TransferRow(
            source=lane_of(call_of[calls[-1]]),
            target=lane_of(call_of[read]),
            read=read,
            writes=tuple(calls),
            moved=call_of[read].moved,
        )
        for read, calls in writes.items()
    }
