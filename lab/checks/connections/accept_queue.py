"""Checks of connections to a server whose accept queue is full."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import DISCARDED, UNTAKEN
from lab.analysis.tcp.state import State
from lab.model.claim import Verdict, broken, claim, first_of, holds, undecided
from lab.model.counted import counted
from lab.model.event import frame_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Segment
    from lab.analysis.timeline import Timeline

OVERFLOWS = ("TcpExtListenOverflows", "TcpExtListenDrops")
_SYN_ACK = TcpFlags.SYN | TcpFlags.ACK


class _Ignored(NamedTuple):
    """What a full queue made the server ignore, and what came of it."""

    segments: tuple[Segment, ...]
    """All that came and had no answer."""
    next: Segment
    """What was sent again for it."""


@claim(
    "While the accept queue is full a SYN is ignored: no RST answers it, and it is sent again.",
    source="listen(2); Linux, net/ipv4/tcp_input.c, tcp_conn_request()",
    name="ignores-syn",
)
def ignores_a_syn(timeline: Timeline) -> Verdict:
    """It arrives, and nothing of the server's leaves before its next copy has come."""
    return _counted(timeline, _ignored_syns, "SYN")


@claim(
    "Where the queue is full by then, the handshake's last ACK is ignored: the client is "
    "connected, and the server sends its SYN-ACK again.",
    source="listen(2); tcp(7), tcp_abort_on_overflow",
    name="ignores-ack",
)
def ignores_a_last_ack(timeline: Timeline) -> Verdict:
    """It arrives before the SYN-ACK that leaves again, and the client is ESTABLISHED by it."""
    return _counted(timeline, _ignored_acks, "ACK")


@claim(
    "Once accept() empties the queue every connection is made, and has its greeting.",
    source="accept(2); listen(2)",
    name="all-in",
)
def accepts_all_in_the_end(timeline: Timeline) -> Verdict:
    """Of each of the client's connections data of the server's arrives."""
    talks = timeline.conversations
    missing = [talk for talk in talks if talk.handshake is None or not talk.server_to_client.length]
    evidence = [
        frame_id(segment.crossing)
        for talk in talks
        for segment in talk.segments
        if segment.length and not segment.from_client and not segment.notes & UNTAKEN
    ]
    if not talks:
        return undecided("there was no connection")
    if missing:
        first = missing[0]
        about = [frame_id(segment.crossing) for segment in first.segments]
        return broken(f"{first.flow.id} had no greeting", about)
    return holds(f"{counted(len(talks), 'connection')}, each with a greeting", evidence)


def _counted(
    timeline: Timeline,
    find: Callable[[Timeline, TcpConversation], _Ignored | str | None],
    kind: str,
) -> Verdict:
    """Whether something was ignored, and the server's kernel counted just that."""
    found: list[_Ignored] = []
    hosts: set[str] = set()
    for talk in timeline.conversations:
        ignored = find(timeline, talk)
        if isinstance(ignored, str):
            return broken(ignored, [frame_id(segment.crossing) for segment in talk.segments])
        if ignored is not None:
            found.append(ignored)
            hosts.add(timeline.crossing_of[ignored.segments[0].crossing].receiver)
    if not found:
        return undecided(f"no {kind} was ignored")
    evidence = [
        frame_id(segment.crossing) for each in found for segment in (*each.segments, each.next)
    ]
    if len(hosts) != 1:
        return undecided("more than one host ignored something", evidence)
    (host,) = hosts
    number = sum(len(each.segments) for each in found)
    for name in OVERFLOWS:
        change = timeline.counters(host)[name]
        if change is None:
            return undecided(f"{name} of {host} was not read", evidence)
        if change != number:
            text = f"{counted(number, kind)} without an answer; {name} of {host} is {change}"
            return undecided(f"{text}: one of the two is wrong", evidence)
    said = [
        f"{', '.join(str(frame_id(s.crossing)) for s in each.segments)} had no answer, "
        f"{frame_id(each.next.crossing)} came for it"
        for each in found
    ]
    return holds(f"{first_of(said)}; ListenOverflows and ListenDrops are {number}", evidence)


def _ignored_syns(timeline: Timeline, talk: TcpConversation) -> _Ignored | str | None:
    """The SYNs that came before the first answer, but for the one that it is to."""
    answer = next((each for each in talk.segments if not each.from_client), None)
    syns = [
        each
        for each in _arrived(timeline, talk)
        if each.from_client and each.flags & _SYN_ACK == TcpFlags.SYN
    ]
    if answer is None or len(syns) < 2:
        return None
    if answer.flags & TcpFlags.RST:
        return f"{frame_id(answer.crossing)} is a RST"
    left_ns = timeline.crossing_of[answer.crossing].time_ns
    before = [each for each in syns if _came_ns(timeline, each) < left_ns]
    return _Ignored(tuple(before[:-1]), before[-1]) if len(before) > 1 else None


def _ignored_acks(timeline: Timeline, talk: TcpConversation) -> _Ignored | str | None:
    """What of the client's came between a SYN-ACK and its next copy."""
    answers = [e for e in talk.segments if not e.from_client and e.flags & _SYN_ACK == _SYN_ACK]
    resets = [e for e in talk.segments if not e.from_client and e.flags & TcpFlags.RST]
    if resets:
        return f"{frame_id(resets[0].crossing)} is a RST"
    if len(answers) < 2:
        return None
    first_ns, again_ns = (timeline.crossing_of[each.crossing].time_ns for each in answers[:2])
    ignored = [
        each
        for each in _arrived(timeline, talk)
        if each.from_client
        and not each.flags & TcpFlags.SYN
        and each.sender_state is State.ESTABLISHED
        and first_ns < _came_ns(timeline, each) < again_ns
    ]
    return _Ignored(tuple(ignored), answers[1]) if ignored else None


def _arrived(timeline: Timeline, talk: TcpConversation) -> Sequence[Segment]:
    """All that came whole, whatever the receiver's kernel then did with it."""
    return [
        each
        for each in talk.segments
        if not each.notes & DISCARDED
        and timeline.crossing_of[each.crossing].received_ns is not None
    ]


def _came_ns(timeline: Timeline, segment: Segment) -> int:
    return timeline.crossing_of[segment.crossing].received_ns or 0
