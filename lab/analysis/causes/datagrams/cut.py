"""Why a message was read in part only: the reader's buffer was shorter than the message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.analysis.sockets.socket_calls import asks_whole_length, room_of
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.correlation import Channel, SentPart


def cut_messages(facts: StepFacts) -> Iterator[Cause]:
    """The reads that threw the end of a datagram, or of another message, away."""
    for channel in facts.correlation.channels:
        for part in channel.parts if _carries_messages(facts, channel) else ():
            for read in part.reads:
                call = facts.timeline.call_of[read]
                if call.moved < part.end - part.start and not _is_meant(call):
                    yield _cut(part, call)


def _carries_messages(facts: StepFacts, channel: Channel) -> bool:
    if channel.flow is not None:
        return channel.flow.protocol == "udp"
    sender = facts.timeline.endpoint_of.get(channel.sender)
    return sender is not None and sender.type in ("SOCK_DGRAM", "SOCK_SEQPACKET")


def _is_meant(call: SystemCall) -> bool:
    """Whether it asks for the whole length, or throws a message away by reading nothing of it."""
    return asks_whole_length(call) or room_of(call) == 0


def _cut(part: SentPart, call: SystemCall) -> Cause:
    total = part.end - part.start
    frame = part.segments[-1] if part.segments else None
    what = f"{frame}, sent by {part.call}" if frame is not None else f"sent by {part.call}"
    return Cause(
        "message-cut",
        f"{named(call)} has room for {counted(call.moved, 'byte')}, and the message that it reads "
        f"({what}) has {total}: the other {total - call.moved} are thrown away. The next read gets "
        "the next message, not the rest of this one.",
        call.program,
        known_ids(call, part.call, frame),
        "recv(2), MSG_TRUNC; udp(7)" if frame is not None else "recv(2), MSG_TRUNC; unix(7)",
        Surprise.HIDDEN,
    )
