"""The kernel's states of TCP sockets beside those that the frames imply."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.analysis.tcp.state import State
from lab.records import Obtained

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lab.analysis.sockets.flow_ends import FlowSide
    from lab.analysis.sockets.states import StateSeen
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Segment

_FrameEnd = tuple[int, bool]
"""A frame's number, and whether its sender is meant; else its receiver."""

_Change = tuple[int, State, State]
"""When a socket's state changed, from which to which."""

_NAMES = {
    "CLOSE": State.CLOSED,
    "LISTEN": State.LISTEN,
    "SYN_SENT": State.SYN_SENT,
    "SYN_RECV": State.SYN_RECEIVED,
    "NEW_SYN_RECV": State.SYN_RECEIVED,
    "ESTABLISHED": State.ESTABLISHED,
    "FIN_WAIT1": State.FIN_WAIT_1,
    "FIN_WAIT2": State.FIN_WAIT_2,
    "CLOSE_WAIT": State.CLOSE_WAIT,
    "CLOSING": State.CLOSING,
    "LAST_ACK": State.LAST_ACK,
    "TIME_WAIT": State.TIME_WAIT,
}
"""By their names in include/net/tcp_states.h."""

_REQUESTED = frozenset({State.LISTEN, State.SYN_RECEIVED})
"""What a passive opener may be in before Linux makes its socket, with the handshake's last ACK."""

_UNOPENED = frozenset({State.CLOSED, State.LISTEN})
"""SYN-RECEIVED is not among them: Linux makes that socket when the handshake is over."""

_WAITING = frozenset({State.FIN_WAIT_2, State.CLOSING, State.TIME_WAIT})
"""What Linux reports as CLOSE: it replaces the socket by a small record that waits."""


def with_kernel_states(
    conversations: Iterable[TcpConversation], states: Iterable[StateSeen], slack_ns: int
) -> tuple[TcpConversation, ...]:
    """The conversations, with the kernel's state where the frames imply another.

    The frames imply a state from a segment's departure or arrival until the side's next one, and
    Linux may send an answer before it changes the state: so up to the one after that. The two
    differ where the socket was never in the implied state meanwhile, by the changes that were
    measured. Only sides with such changes are compared. A handshake whose last segment left its
    receiver without a connection is none.
    """
    changes: dict[FlowSide, list[_Change]] = {}
    for seen in states:
        state = seen.state
        old, new = _NAMES.get(state.old), _NAMES.get(state.new)
        if seen.side is None or state.obtained is not Obtained.MEASURED or not old or not new:
            continue
        changes.setdefault(seen.side, []).append((state.time_ns, old, new))
    found: list[TcpConversation] = []
    for conversation in conversations:
        differing: dict[_FrameEnd, State] = {}
        for is_client in (True, False):
            measured = changes.get((conversation.flow.id, is_client))
            if measured:
                differing |= _compare(conversation, is_client, sorted(measured), slack_ns)
        found.append(_corrected(conversation, differing) if differing else conversation)
    return tuple(found)


def _corrected(
    conversation: TcpConversation, differing: Mapping[_FrameEnd, State]
) -> TcpConversation:
    segments = tuple(_corrected_segment(each, differing) for each in conversation.segments)
    handshake = conversation.handshake
    if handshake is not None and differing.get((handshake.ack, False)) in _UNOPENED:
        handshake = None
    last = {True: conversation.client_state, False: conversation.server_state}
    for segment in segments:
        last[segment.from_client] = segment.sender_state
        last[not segment.from_client] = segment.receiver_state or last[not segment.from_client]
    return replace(
        conversation,
        segments=segments,
        handshake=handshake,
        client_state=last[True],
        server_state=last[False],
    )


def _corrected_segment(segment: Segment, differing: Mapping[_FrameEnd, State]) -> Segment:
    at_sender = differing.get((segment.crossing, True))
    at_receiver = differing.get((segment.crossing, False))
    if at_sender is not None:
        implied = segment.sender_state
        segment = replace(segment, sender_state=at_sender, implied_sender_state=implied)
    if at_receiver is not None:
        received = segment.receiver_state
        segment = replace(segment, receiver_state=at_receiver, implied_receiver_state=received)
    return segment


def _compare(
    conversation: TcpConversation,
    is_client: bool,
    changes: Sequence[_Change],
    slack_ns: int,
) -> dict[_FrameEnd, State]:
    times = [time_ns for time_ns, _, _ in changes]
    ends = sorted(_ends(conversation, is_client))
    differing: dict[_FrameEnd, State] = {}
    for place, (time_ns, end, implied) in enumerate(ends):
        until_ns = ends[place + 2][0] if place + 2 < len(ends) else times[-1]
        first = bisect_left(times, time_ns - slack_ns)
        last = max(bisect_right(times, until_ns + slack_ns), first)
        before = changes[first - 1][2] if first else changes[0][1]
        was_in = {before, *(new for _, _, new in changes[first:last])}
        if not _agrees(implied, was_in, has_begun=first > 0):
            differing[end] = changes[last - 1][2] if last else before
    return differing


def _agrees(implied: State, was_in: set[State], *, has_begun: bool) -> bool:
    if implied in was_in:
        return True
    if implied in _WAITING:
        return State.CLOSED in was_in
    return not has_begun and implied in _REQUESTED


def _ends(conversation: TcpConversation, is_client: bool) -> Iterator[tuple[int, _FrameEnd, State]]:
    """When the side sent or received each segment, and the state that is implied from then on."""
    for segment, crossing in zip(conversation.segments, conversation.flow.crossings, strict=True):
        if segment.from_client == is_client:
            if crossing.sent_ns is not None:
                yield crossing.sent_ns, (segment.crossing, True), segment.sender_state
        elif crossing.received_ns is not None and segment.receiver_state is not None:
            yield crossing.received_ns, (segment.crossing, False), segment.receiver_state
