"""Checks of a sender that finds out what its way carries: slow start, a loss, and less after it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from lab.analysis.tcp.segment import UNTAKEN, Note
from lab.analysis.tcp.stream import Ranges
from lab.checks.tcp import on_the_connection
from lab.frozen import frozen
from lab.model.claim import Verdict, broken, claim, holds, skipped, undecided
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.tcp.segment import Segment
    from lab.analysis.timeline import Timeline
    from lab.checks.tcp import Connection
    from lab.model.event import EventId

LEAST_GROWTH, MOST_GROWTH = 1.5, 2.5
"""Of a round trip's flight to that of the one before, where it should be 2: on a busy machine ACKs
come in bunches, and HyStart++ (RFC 9406), which cubic has, may take them for a longer way."""
NO_LOSS = "nothing of the client's was lost"


@frozen
class _Round:
    """A round trip of the client's data: until an ACK of something sent since its beginning."""

    began: int
    """The crossing of the segment, or of the ACK, that it begins with."""
    began_ns: int
    ended: int
    """The crossing of the ACK that ends it."""
    ended_ns: int
    most: int
    """The most bytes that were on their way: sent, and acknowledged neither by number nor by SACK.

    Source: RFC 6675, 4, SetPipe().
    """
    sent_more: bool
    """Whether new bytes were sent after its end: until then the program had more to send."""


@claim(
    "Until the first loss each round trip has twice as much on its way: slow start.",
    source="RFC 5681, 3.1; RFC 6928, 2",
    name="slow-start",
)
@on_the_connection
def doubles_until_the_loss(connection: Connection) -> Verdict:
    """The most bytes in flight in each round trip that was over when the first loss left.

    If it left in the second one already, that one counts: the sender does not know yet.
    """
    if missing := _missing(connection):
        return missing
    lost = _first_lost(connection)
    if lost is None:
        return broken(NO_LOSS)
    left_ns = connection.crossings[lost.crossing].time_ns
    every = _rounds(connection)
    over = [each for each in every if each.ended_ns < left_ns]
    rounds = over if len(over) > 1 else every[:2]
    evidence: list[EventId] = [frame_id(number) for each in rounds for number in _numbers(each)]
    evidence.append(frame_id(lost.crossing))
    if not over or len(rounds) < 2:
        return undecided("no round trip was over before the loss", evidence)
    flights = [each.most for each in rounds]
    said = f"{_steps(flights)} bytes in flight; then {evidence[-1]} was lost"
    for before, after in pairwise(flights):
        if not LEAST_GROWTH <= after / before <= MOST_GROWTH:
            return broken(f"{said}: {after / before:.2f} times, not twice", evidence)
    return holds(said, evidence)


@claim(
    "A loss is taken for congestion: when it is mended, there is less on its way than before.",
    source="RFC 5681, 3.1 and 3.2",
    name="less",
)
@on_the_connection
def sends_less_after_the_loss(connection: Connection) -> Verdict:
    """What was in flight when the first segment was sent again, and what is after recovery.

    That is the most in the first whole round trip after all was acknowledged that had been sent
    until then.
    """
    if missing := _missing(connection):
        return missing
    lost = _first_lost(connection)
    if lost is None:
        return broken(NO_LOSS)
    evidence = [frame_id(lost.crossing)]
    again = next((s for s in _again(connection) if s.crossing > lost.crossing), None)
    if again is None:
        return broken(f"{evidence[0]} was never sent again", evidence)
    evidence.append(frame_id(again.crossing))
    again_ns = connection.crossings[again.crossing].time_ns
    acks = [(connection.crossings[s.crossing].received_ns or 0, s) for s in _acks(connection)]
    recover = max(_end(s) for s in _new_data(connection) if s.crossing < again.crossing)
    acknowledged = max((s.ack or 0 for came_ns, s in acks if came_ns < again_ns), default=1)
    mended = next(((came_ns, s) for came_ns, s in acks if (s.ack or 0) >= recover), None)
    if mended is None:
        return broken(f"not all that was sent before {evidence[1]} was acknowledged", evidence)
    mended_ns, ack = mended
    evidence.append(frame_id(ack.crossing))
    after = [r for r in _rounds(connection) if r.began_ns >= mended_ns and r.sent_more]
    if not after:
        return undecided("the program had nothing more to send then", evidence)
    evidence += [frame_id(number) for number in _numbers(after[0])]
    before = recover - acknowledged
    said = f"{before} bytes in flight when {evidence[1]} left, {after[0].most} after {evidence[2]}"
    return (holds if after[0].most < before else broken)(said, evidence)


@claim(
    "Cubic starts slowly as well: it doubles until the first loss, or until ways take longer.",
    source="RFC 9438, 4.10; RFC 9406, 4.2",
    name="cubic-slow-start",
)
def doubles_with_cubic(timeline: Timeline) -> Verdict:
    """As `doubles_until_the_loss`, by another congestion control."""
    return doubles_until_the_loss.check(timeline)


@claim(
    "Cubic sends less after a loss as well.",
    source="RFC 9438, 4.6",
    name="cubic-less",
)
def sends_less_with_cubic(timeline: Timeline) -> Verdict:
    """As `sends_less_after_the_loss`, by another congestion control."""
    return sends_less_after_the_loss.check(timeline)


def _missing(connection: Connection) -> Verdict | None:
    """Why nothing is judged: the kernel did not take the congestion control that was asked for."""
    asked = [call for call in connection.client_calls if "TCP_CONGESTION" in call.arguments]
    if not asked:
        return undecided("the client printed no TCP_CONGESTION")
    if not asked[0].error:
        return None
    name = asked[0].data.decode("ascii", "replace")
    why = f"the kernel has no congestion control {name}, or not for this user"
    return skipped(f"{why}: {asked[0].error}", [asked[0].id])


def _rounds(connection: Connection) -> list[_Round]:
    """The client's round trips, as it sees them: when it sent, and when it got ACKs."""
    events = sorted(
        (
            connection.crossings[each.crossing].time_ns
            if each.from_client
            else connection.crossings[each.crossing].received_ns or 0,
            each.crossing,
            each,
        )
        for each in connection.conversation.segments
        if each.from_client or not each.notes & UNTAKEN
    )
    found: list[_Round] = []
    last = max((s.crossing for s in _new_data(connection)), default=0)
    sent = acknowledged = end = 1
    sacked = Ranges()
    began, began_ns, most = 0, 0, 0
    for time_ns, number, each in events:
        if each.from_client:
            if each.length and _end(each) > sent:
                sent = _end(each)
                if not began:
                    began, began_ns = number, time_ns
            most = max(most, _missing_bytes(sacked, acknowledged, sent))
            continue
        for left, right in each.sack[each.is_dsack :]:
            sacked.add(left, right)
        if (each.ack or 0) > acknowledged:
            if (each.ack or 0) > end and began:
                found.append(_Round(began, began_ns, number, time_ns, most, last > number))
                began, began_ns, most, end = number, time_ns, 0, sent
            acknowledged = each.ack or 0
            most = max(most, _missing_bytes(sacked, acknowledged, sent))
    return found


def _missing_bytes(have: Ranges, start: int, end: int) -> int:
    return sum(right - left for left, right in have.gaps(start, end))


def _new_data(connection: Connection) -> list[Segment]:
    return [
        each
        for each in connection.conversation.segments
        if each.from_client and each.length and Note.RETRANSMISSION not in each.notes
    ]


def _again(connection: Connection) -> list[Segment]:
    return [
        each
        for each in connection.conversation.segments
        if each.from_client and Note.RETRANSMISSION in each.notes
    ]


def _first_lost(connection: Connection) -> Segment | None:
    """The client's first segment with data that did not arrive."""
    for each in connection.conversation.segments:
        if each.from_client and each.length and Note.LOST in each.notes:
            return each
    return None


def _acks(connection: Connection) -> list[Segment]:
    return [
        each
        for each in connection.conversation.segments
        if not each.from_client and each.ack is not None and not each.notes & UNTAKEN
    ]


def _end(segment: Segment) -> int:
    return segment.seq + segment.length


def _numbers(each: _Round) -> tuple[int, int]:
    return each.began, each.ended


def _steps(flights: list[int]) -> str:
    """ "14480, 28960 and 57920"."""
    *first, last = map(str, flights)
    return f"{', '.join(first)} and {last}"
