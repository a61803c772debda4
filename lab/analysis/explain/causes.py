"""What brought each event about, as far as the recording shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.order.events import Event, EventPart
from lab.analysis.packets.packet import TcpFlags
from lab.frozen import frozen
from lab.model.event import EventId, EventKind, frame_id
from lab.records import Obtained

if TYPE_CHECKING:
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Segment
    from lab.analysis.timeline import Timeline

_TAKES_A_NUMBER = int(TcpFlags.SYN | TcpFlags.FIN)

_WORDS = {
    (EventKind.SYSTEM_CALL, EventKind.FRAME): "the call sent it",
    (EventKind.FRAME, EventKind.SYSTEM_CALL): "the call could return once it arrived",
    (EventKind.SYSTEM_CALL, EventKind.STATE): "the call changed the state",
    (EventKind.FRAME, EventKind.STATE): "its arrival changed the state",
    (EventKind.STATE, EventKind.FRAME): "sent with this change of state",
    (EventKind.FRAME, EventKind.DROP): "the kernel threw it away",
    (EventKind.FRAME, EventKind.STRIKE): "a rule of the wire is about it",
    (EventKind.STRIKE, EventKind.FRAME): "so it went on from the wire",
    (EventKind.SYSTEM_CALL, EventKind.SYSTEM_CALL): "it wrote what the call read",
}
ACKNOWLEDGED = "it is acknowledged here"


@frozen
class DirectCause:
    """One event without which another would not have been, or not then."""

    event: EventId
    why: str
    """What it had to do with the other: "the call sent it"."""


def direct_causes(timeline: Timeline) -> dict[EventId, tuple[DirectCause, ...]]:
    """By event its direct causes; an event without any is not in it.

    That a thread makes one call after another is no cause. An acknowledgment's cause is the
    last segment that it acknowledges first (RFC 9293, 3.4).
    """
    found: defaultdict[EventId, dict[EventId, str]] = defaultdict(dict)
    events = timeline.order.events
    samples = {
        seen.id for seen in timeline.states if seen.state.obtained is not Obtained.MEASURED
    } | {queue.id for queue in timeline.queues}
    for cause_at, effect_at in timeline.order.causes:
        cause, effect = events[cause_at], events[effect_at]
        if _is_shown(cause, effect) and not {cause.id, effect.id} & samples:
            found[effect.id].setdefault(cause.id, _WORDS.get((cause.id.kind, effect.id.kind), ""))
    for conversation in timeline.conversations:
        for answer, segment in acknowledged(conversation):
            found[frame_id(answer)].setdefault(frame_id(segment), ACKNOWLEDGED)
    return {
        effect: tuple(DirectCause(cause, why) for cause, why in causes.items())
        for effect, causes in found.items()
    }


def _is_shown(cause: Event, effect: Event) -> bool:
    """Whether they are two events, and not only two calls of one thread one after the other."""
    if cause.id == effect.id or effect.part is EventPart.ENTRY:
        return False
    return not (cause.part is EventPart.EXIT and effect.part is EventPart.EXIT)


def acknowledged(conversation: TcpConversation) -> Iterator[tuple[int, int]]:
    """Pairs of frames' numbers: what acknowledges something first, and the last of that."""
    waiting: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    for segment in conversation.segments:
        if segment.ack is not None:
            mine = waiting[not segment.from_client]
            covered = [number for end, number in mine if end <= segment.ack]
            if covered:
                yield segment.crossing, covered[-1]
                mine[:] = [each for each in mine if each[0] > segment.ack]
        if (length := _sequence_length(segment)) and segment.receiver_state is not None:
            waiting[segment.from_client].append((segment.seq + length, segment.crossing))


def _sequence_length(segment: Segment) -> int:
    """SEG.LEN: the payload's bytes, with SYN and FIN. Source: RFC 9293, 3.3.1."""
    return segment.length + (int(segment.flags) & _TAKES_A_NUMBER).bit_count()
