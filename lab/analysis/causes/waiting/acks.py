"""Why bytes were sent again that had come: their ACK was lost. Source: RFC 9293, 3.8.1."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate, islice
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.covering import Covering, end_of
from lab.analysis.causes.facts.loss import NotTaken, loss_of
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import UNTAKEN, Note, Segment
from lab.frozen import frozen
from lab.model.counted import counted
from lab.model.event import frame_id

if TYPE_CHECKING:
    from lab.analysis.tcp.conversation import TcpConversation

_SYN = int(TcpFlags.SYN)


@frozen
class _Needless:
    """A segment that had come, the ACKs of it that were lost, and the same bytes again."""

    first: Segment
    acks: tuple[tuple[Segment, NotTaken], ...]
    copy: Segment


def lost_acks(facts: StepFacts) -> Iterator[Cause]:
    """What was sent again since its ACK was lost, of each connection what took longest."""
    for talk in facts.timeline.opened.values():
        found = list(_needless(facts, talk))
        if found:
            yield _cause(facts, talk, max(found, key=lambda each: _lasted_ns(facts, each)), found)


def _needless(facts: StepFacts, talk: TcpConversation) -> Iterator[_Needless]:
    copies = [
        each
        for each in talk.segments
        if Note.RETRANSMISSION in each.notes and not int(each.flags) & _SYN
    ]
    if not copies:
        return
    covering = Covering(talk.segments)
    acks = {side: _Acks(talk.segments, from_client=side) for side in (True, False)}
    for copy in copies:
        left_ns = facts.departure_ns(copy)
        first = None if facts.is_over(left_ns) else _had_come(facts, covering, copy, left_ns)
        if first is None:
            continue
        later = acks[not first.from_client].from_first_of(end_of(copy))
        lost = _lost_acks_of(facts, later, copy, left_ns)
        if lost:
            yield _Needless(first, lost, copy)


def _had_come(facts: StepFacts, covering: Covering, copy: Segment, left_ns: int) -> Segment | None:
    """The first segment that brought all that a later one brings again, before that left."""
    for each in covering.at(copy.seq, from_client=copy.from_client):
        if each.crossing >= copy.crossing:
            return None
        came_ns = facts.arrival_ns(each)
        if end_of(each) < end_of(copy) or each.notes & UNTAKEN or came_ns is None:
            continue
        if came_ns < left_ns:
            return each
    return None


class _Acks:
    """A side's segments that have an ACK, in order of time."""

    def __init__(self, segments: Iterable[Segment], *, from_client: bool) -> None:
        self._segments = [
            each for each in segments if each.from_client == from_client and each.ack is not None
        ]
        self._greatest = list(accumulate((each.ack or 0 for each in self._segments), max))
        """The greatest ACK up to that place."""

    def from_first_of(self, position: int) -> Iterator[Segment]:
        """Those from the first on that acknowledges all before the position."""
        first = bisect_left(self._greatest, position)
        return islice(self._segments, first, None)


def _lost_acks_of(
    facts: StepFacts, acks: Iterable[Segment], copy: Segment, left_ns: int
) -> tuple[tuple[Segment, NotTaken], ...] | None:
    """The ACKs that acknowledge what a copy brings and left before it; None where one came.

    One that comes late is no lost one.
    """
    lost = []
    for each in acks:
        if facts.departure_ns(each) >= left_ns:
            break
        if each.ack is None or each.ack < end_of(copy):
            continue
        loss = loss_of(facts, each)
        if loss is None:
            return None
        lost.append((each, loss))
    return tuple(lost)


def _lasted_ns(facts: StepFacts, found: _Needless) -> int:
    return facts.departure_ns(found.copy) - facts.departure_ns(found.first)


def _cause(
    facts: StepFacts, talk: TcpConversation, found: _Needless, all_found: list[_Needless]
) -> Cause:
    first, copy = found.first, found.copy
    frame, again = frame_id(first.crossing), frame_id(copy.crossing)
    (ack, loss), *others = found.acks
    host = facts.host_of(talk, first.from_client)
    other = facts.host_of(talk, not first.from_client)
    call = facts.sent_by.get(frame)
    what = counted(first.length, "byte") if first.length else "the FIN"
    whose = f" of {named(call)}" if call is not None and first.length else f" of {host}"
    lost = f"its ACK ({frame_id(ack.crossing)}) did not come back"
    if others:
        lost = f"none of its {len(found.acks)} ACKs ({frame_id(ack.crossing)} first) came back"
    report = _reported(facts, talk, copy)
    told = ""
    if report is not None:
        told = f" {other} tells so by a D-SACK ({frame_id(report.crossing)})."
    more = len(all_found) - 1
    also = f" {counted(more, 'more segment')} came again for that as well." if more > 1 else ""
    also = " One more segment came again for that as well." if more == 1 else also
    return Cause(
        "ack-lost",
        f"{frame}, {what}{whose}, came to {other}, and {lost}: {loss.text}. TCP of {host} cannot "
        f"tell that from a loss of the segment, and sends it again {ms(_lasted_ns(facts, found))} "
        f"later ({again}), although nothing of it was missing.{told}{also}",
        str(talk.flow.id),
        known_ids(
            *(call, frame, frame_id(ack.crossing), *loss.evidence, again),
            None if report is None else frame_id(report.crossing),
        ),
        "RFC 9293, 3.8.1; RFC 6298, 5; RFC 2883, 4",
        Surprise.ELSEWHERE,
        (
            *facts.counted(host, "TcpExtTCPTimeouts", "TcpExtTCPLossProbes", "TcpExtTCPDSACKRecv"),
            *facts.counted(other, "TcpExtTCPDSACKOldSent", "TcpExtDelayedACKLost"),
        ),
    )


def _reported(facts: StepFacts, talk: TcpConversation, copy: Segment) -> Segment | None:
    """The segment whose D-SACK reports that these bytes came twice. Source: RFC 2883, 4."""
    for each in talk.segments:
        if each.crossing > copy.crossing and each.from_client != copy.from_client and each.is_dsack:
            left, right = each.sack[0]
            if left <= copy.seq and copy.seq + copy.length <= right:
                return each
    return None
