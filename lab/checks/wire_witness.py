"""Whether the frames on the wire say the same of a call as the tracer does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.correlation import Channel
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId


def is_on_the_wire(timeline: Timeline, call: SystemCall) -> bool:
    """Whether frames show that the call did what was traced of it.

    Of connect(2) that is the connection; of a call that sent or read, its bytes, where all that
    was sent or read that way is as much as the wire carried.
    """
    if any(call.id == connected for connected, _ in timeline.correlation.connects):
        return call.result == 0
    if call.result != call.moved:
        return False
    for channel in timeline.correlation.channels:
        for start, frame in _places(channel, call):
            return any(
                data.startswith(call.data) for data in _carried(timeline, channel, start, frame)
            )
    return False


def _places(channel: Channel, call: SystemCall) -> Iterator[tuple[int, EventId | None]]:
    """Where the call's bytes begin in a channel whose counts fit, and a frame that carried them."""
    if channel.sent == channel.carried:
        for part in channel.parts:
            if part.call == call.id:
                yield part.start, next(iter(part.segments), None)
    if channel.read == channel.carried:
        for read in channel.read_parts:
            if read.call == call.id:
                yield read.start, read.segment


def _carried(
    timeline: Timeline, channel: Channel, start: int, frame: EventId | None
) -> Iterator[bytes]:
    """What the wire carried from there on: of a TCP connection either way, else the datagram."""
    for talk in timeline.conversations:
        if talk.flow.id == channel.flow:
            for stream in (talk.client_to_server, talk.server_to_client):
                yield stream.data[start:]
            return
    for crossing in timeline.crossings:
        if crossing.id == frame:
            yield crossing.packet.payload
