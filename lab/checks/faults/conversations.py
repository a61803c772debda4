"""Checks of what becomes of a conversation whose frames a wire drops, copies, changes or delays."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import FIRST_TIMEOUT_NS, UNTAKEN
from lab.analysis.tcp.state import State
from lab.checks.udp.datagrams import both_ways
from lab.model.claim import Verdict, broken, claim, first_of, holds, undecided
from lab.model.event import frame_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.strikes import Struck
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Segment
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

TIMER_NS = 10_000_000
"""Linux counts timers in jiffies, of up to 10 ms (CONFIG_HZ=100)."""
NOTHING_STRUCK = "no wire struck what this is about"


class _Hit(NamedTuple):
    """A segment that a wire struck."""

    struck: Struck
    talk: TcpConversation
    segment: Segment

    @property
    def frame(self) -> EventId:
        return frame_id(self.segment.crossing)


@claim(
    "The wire strikes what its rules name, and nothing else is lost or made.",
    source="veth(4); RFC 9293, 3.8.1",
    name="strikes",
)
def strikes_what_its_rules_name(timeline: Timeline) -> Verdict:
    """Every frame that was lost is a rule's doing, and every frame was seen leaving or made so."""
    for crossing in timeline.crossings:
        if crossing.sent_ns is None and not crossing.strikes:
            # Nobody but the two ends can send on the link: it was missed where it left.
            return undecided(f"{crossing.id} was not seen leaving, and no rule made it")
    for crossing in timeline.crossings:
        if crossing.lost and not crossing.strikes:
            return broken(f"{crossing.id} was lost, and no rule did that", [crossing.id])
    evidence: list[EventId] = []
    for struck in timeline.struck:
        evidence += [struck.id, *([struck.frame] if struck.frame else []), *struck.made]
    if not evidence:
        return undecided(NOTHING_STRUCK)
    said = [f"{each.frame or 'the link'} {each.text}" for each in timeline.struck]
    return holds(first_of(said), dict.fromkeys(evidence))


@claim(
    "What is lost is sent again, until it is there.",
    source="RFC 9293, 3.8.1",
    name="again",
)
def sends_again_what_is_lost(timeline: Timeline) -> Verdict:
    """Of every segment that a wire dropped or spoilt, another copy arrives."""
    said: list[str] = []
    evidence: list[EventId] = []
    for hit in _hits(timeline):
        if not hit.struck.strike.is_end and not _is_spoilt(hit):
            continue
        again = _next_copy(hit)
        if again is None:
            return broken(f"{hit.frame} was lost, and never sent again", [hit.struck.id, hit.frame])
        waited_ns = _crossing(timeline, again).time_ns - _crossing(timeline, hit.segment).time_ns
        said.append(f"{hit.frame} again as {frame_id(again.crossing)}, {waited_ns / 1e6:.1f} ms on")
        evidence += [hit.struck.id, hit.frame, frame_id(again.crossing)]
    return holds(first_of(said), dict.fromkeys(evidence)) if said else undecided(NOTHING_STRUCK)


@claim(
    "Before a round trip is measured, a segment is sent again after a second.",
    source="RFC 6298, 2.1",
    name="first-timeout",
)
def waits_a_second_at_first(timeline: Timeline) -> Verdict:
    """From the first lost SYN to its next copy, be that lost too.

    A SYN-ACK's timer runs from some time between the SYN's arrival and its own leaving, which on
    a busy host are far apart. And it may go again since that SYN has come again, sooner than by a
    timer of its own: then it is the SYN that waited. Source: RFC 9293, 3.10.7.4.
    """
    for hit in _hits(timeline):
        if not (hit.struck.strike.is_end and hit.segment.flags & TcpFlags.SYN):
            continue
        again = _next_copy(hit, is_taken=False)
        if again is None:
            return broken(f"{hit.frame} was never sent again", [hit.frame])
        evidence = [hit.struck.id, hit.frame, frame_id(again.crossing)]
        began, ended = _crossing(timeline, hit.segment), _crossing(timeline, again)
        syns = [_crossing(timeline, each) for each in _syns_to(hit)]
        asked = [each for each in syns if each.received_ns and each.received_ns < began.time_ns]
        asked_again = [each for each in syns if each.sent_ns and _came_between(each, began, ended)]
        if asked and asked_again:
            began, ended = asked[-1], asked_again[0]
            evidence += [began.id, ended.id]
        first_ns, last_ns = timeline.sent_between(began)
        since = f"{began.id}"
        if asked and not asked_again:
            first_ns = last_ns = asked[-1].received_ns or last_ns
            since = f"{asked[-1].id} had come, which {began.id} answers"
            evidence.append(asked[-1].id)
        elif (wait := timeline.neighbour_waits.get(began.number)) is not None:
            since = f"{wait.question}, for whose answer {began.id} waited"
            evidence.append(wait.question)
        soonest_ns, latest_ns = timeline.sent_between(ended)
        said = f"{ended.id} left {(latest_ns - first_ns) / 1e6:.1f} ms after {since}"
        least_ns = FIRST_TIMEOUT_NS - TIMER_NS
        if latest_ns - first_ns < least_ns:
            return broken(f"{said}, sooner", evidence)
        if soonest_ns - last_ns < least_ns:
            return undecided(f"{said}; when they were sent was not seen", evidence)
        return holds(said, evidence)
    return undecided(NOTHING_STRUCK)


@claim(
    "Where the handshake's last ACK is lost, the first data makes up for it.",
    source="RFC 9293, 3.10.7.4",
    name="data-opens",
)
def opens_by_data(timeline: Timeline) -> Verdict:
    """Each segment has the ACK: the server is ESTABLISHED when the first of them comes."""
    for hit in _hits(timeline):
        segment, talk = hit.segment, hit.talk
        if not hit.struck.strike.is_end or segment.length or segment.flags & TcpFlags.SYN:
            continue
        later = (
            each
            for each in talk.segments
            if each.from_client and each.crossing > segment.crossing and not each.notes & UNTAKEN
        )
        first = next(later, None)
        if first is None:
            return broken(f"nothing of the client's came after {hit.frame}", [hit.frame])
        evidence = [hit.struck.id, hit.frame, frame_id(first.crossing)]
        if not first.length or first.ack != segment.ack:
            return undecided(f"{frame_id(first.crossing)} is no data with the same ACK", evidence)
        if first.receiver_state not in (State.ESTABLISHED, State.CLOSE_WAIT):
            state = first.receiver_state.value if first.receiver_state else "gone"
            return broken(f"with {frame_id(first.crossing)} the server is {state}", evidence)
        return holds(f"{frame_id(first.crossing)} has the same ACK as {hit.frame}", evidence)
    return undecided(NOTHING_STRUCK)


@claim(
    "The receiver names what it has behind a gap (SACK), before the gap is filled.",
    source="RFC 2018, 3; RFC 6675, 5",
    name="sack",
)
def names_what_is_behind_a_gap(timeline: Timeline) -> Verdict:
    """A SACK block begins where the lost segment ended, and arrives before the next copy leaves."""
    for hit in _hits(timeline):
        if not hit.struck.strike.is_end or not hit.segment.length:
            continue
        again = _next_copy(hit)
        if again is None:
            return broken(f"{hit.frame} was never sent again", [hit.frame])
        left_ns = _crossing(timeline, again).time_ns
        end = hit.segment.seq + hit.segment.length
        telling = [
            each
            for each in hit.talk.segments
            if each.from_client != hit.segment.from_client
            and any(left == end for left, _ in each.sack)
            and (_crossing(timeline, each).received_ns or left_ns) < left_ns
        ]
        evidence = [hit.struck.id, hit.frame, frame_id(again.crossing)]
        if not telling:
            return broken(f"no SACK named what came behind {hit.frame}", evidence)
        told = frame_id(telling[0].crossing)
        said = f"{told} says what came behind {hit.frame}; {frame_id(again.crossing)} fills the gap"
        return holds(said, [*evidence, told])
    return undecided(NOTHING_STRUCK)


@claim(
    "A segment that comes twice is answered with an ACK, and read once.",
    source="RFC 9293, 3.10.7.4; RFC 2883, 4",
    name="once",
)
def answers_a_copy(timeline: Timeline) -> Verdict:
    """Behind the copy's arrival comes an ACK of all of it; the stream has its bytes once."""
    for hit in _hits(timeline):
        segment, talk = hit.segment, hit.talk
        if not hit.struck.made or not hit.struck.strike.copies or not segment.length:
            continue
        copy = next(each for each in timeline.crossings if each.id == hit.struck.made[0])
        came_ns = copy.received_ns or 0
        answers = [
            each
            for each in talk.segments
            if each.from_client != segment.from_client
            and _crossing(timeline, each).time_ns > came_ns
            and each.ack is not None
            and each.ack >= segment.seq + segment.length
        ]
        evidence = [hit.struck.id, hit.frame, copy.id]
        if not answers:
            return broken(f"nothing acknowledged after the copy {copy.id} came", evidence)
        first = answers[0]
        how = " by D-SACK" if first.is_dsack else ""
        said = f"{frame_id(first.crossing)} answers the copy {copy.id}{how}"
        return holds(said, [*evidence, frame_id(first.crossing)])
    return undecided(NOTHING_STRUCK)


@claim(
    "Segments that overtake each other are put in order again.",
    source="RFC 9293, 3.10.7.4",
    name="in-order",
)
def puts_in_order(timeline: Timeline) -> Verdict:
    """A segment left before another and arrived behind it; what was read is what was sent."""
    for hit in _hits(timeline):
        held = _crossing(timeline, hit.segment)
        if held.received_ns is None or held.sent_ns is None:
            continue
        overtaking = [
            each
            for each in hit.talk.segments
            if each.from_client == hit.segment.from_client
            and (_crossing(timeline, each).sent_ns or 0) > held.sent_ns
            and (_crossing(timeline, each).received_ns or held.received_ns) < held.received_ns
        ]
        if not overtaking:
            continue
        evidence = [hit.struck.id, hit.frame, frame_id(overtaking[0].crossing)]
        stream = hit.talk.client_to_server
        if stream.gaps:
            return broken(f"bytes from {stream.gaps[0][0]} on never came", evidence)
        said = f"{frame_id(overtaking[0].crossing)} left behind {hit.frame} and came before it"
        return holds(f"{said}; {stream.length} bytes, whole", evidence)
    return undecided(NOTHING_STRUCK)


@claim(
    "A segment with a wrong checksum is thrown away without an answer.",
    source="RFC 9293, 3.1",
    name="silent",
)
def is_silent_about_a_wrong_checksum(timeline: Timeline) -> Verdict:
    """No ACK of its bytes leaves before another copy of them has arrived."""
    for hit in _hits(timeline):
        if not _is_spoilt(hit) or not hit.segment.length:
            continue
        again = _next_copy(hit)
        if again is None:
            return broken(f"{hit.frame} was never sent again", [hit.frame])
        came_ns = _crossing(timeline, again).received_ns or 0
        evidence = [hit.struck.id, hit.frame, *hit.struck.made, frame_id(again.crossing)]
        for each in hit.talk.segments:
            is_answer = (
                each.from_client != hit.segment.from_client
                and each.ack is not None
                and each.ack > hit.segment.seq
                and _crossing(timeline, each).time_ns < came_ns
            )
            if is_answer:
                answer = frame_id(each.crossing)
                return broken(f"{answer} acknowledges it before it was there", [*evidence, answer])
        return holds(f"no ACK of {hit.frame} before {frame_id(again.crossing)} came", evidence)
    return undecided(NOTHING_STRUCK)


@claim(
    "UDP notices nothing: the call has succeeded, and nothing is sent again.",
    source="RFC 768; udp(7)",
    name="unnoticed",
)
def loses_a_datagram_unnoticed(timeline: Timeline) -> Verdict:
    """A datagram that a wire dropped was sent by a call that succeeded, and once."""
    of_frame = {crossing.id: crossing for crossing in timeline.crossings}
    for struck in timeline.struck:
        lost = of_frame[struck.frame] if struck.frame and struck.strike.is_end else None
        if lost is None or lost.packet.udp is None:
            continue
        for way in both_ways(timeline):
            if lost not in way.datagrams:
                continue
            same = [c for c in way.datagrams if c.packet.payload == lost.packet.payload]
            sends = [call for call in way.sends if call.data == lost.packet.payload]
            evidence = [struck.id, lost.id, *(call.id for call in sends)]
            if not sends:
                return undecided(f"no program printed that it sent {lost.id}", evidence)
            if len(sends) != 1 or len(same) != 1:
                return broken(f"sent {len(sends)} times, seen {len(same)} times", evidence)
            if any(call.data == lost.packet.payload for call in way.reads):
                return broken(f"{lost.id} was lost, and read all the same", evidence)
            said = f"{sends[0].id} returned {sends[0].result}; {lost.id} went once, and was lost"
            return holds(said, evidence)
    return undecided(NOTHING_STRUCK)


def _hits(timeline: Timeline) -> Iterator[_Hit]:
    """The segments that wires struck, in order of the strikes."""
    found = {
        segment.crossing: (talk, segment)
        for talk in timeline.conversations
        for segment in talk.segments
    }
    for struck in timeline.struck:
        if struck.frame is not None and struck.frame.number in found:
            yield _Hit(struck, *found[struck.frame.number])


def _is_spoilt(hit: _Hit) -> bool:
    """Whether the wire made a damaged one of it, which TCP drops."""
    made = {frame.number for frame in hit.struck.made}
    return bool(hit.struck.strike.changed) and any(
        each.notes & UNTAKEN for each in hit.talk.segments if each.crossing in made
    )


def _next_copy(hit: _Hit, *, is_taken: bool = True) -> Segment | None:
    """The first later segment with all that the struck one had, and which the receiver took."""
    start, end = hit.segment.seq, _end(hit.segment)
    for each in hit.talk.segments:
        if (
            each.crossing > hit.segment.crossing
            and each.from_client == hit.segment.from_client
            and each.seq <= start
            and _end(each) >= end
            and _end(each) > each.seq
            and not (is_taken and each.notes & UNTAKEN)
        ):
            return each
    return None


def _syns_to(hit: _Hit) -> list[Segment]:
    """The SYNs that its peer sent to the struck one's sender, and which that took, in order."""
    return [
        each
        for each in hit.talk.segments
        if each.from_client != hit.segment.from_client
        and each.flags & TcpFlags.SYN
        and not each.notes & UNTAKEN
    ]


def _came_between(crossing: Crossing, one: Crossing, other: Crossing) -> bool:
    return crossing.received_ns is not None and one.time_ns < crossing.received_ns < other.time_ns


def _end(segment: Segment) -> int:
    flags = segment.flags
    return segment.seq + segment.length + bool(flags & TcpFlags.SYN) + bool(flags & TcpFlags.FIN)


def _crossing(timeline: Timeline, segment: Segment) -> Crossing:
    return timeline.crossing_of[segment.crossing]
