"""Checks of what the sender's timers do where a wire drops what it sends."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import FIRST_TIMEOUT_NS, TIMEOUT_NS, UNTAKEN
from lab.checks.faults.counters import RESENT
from lab.model.claim import Verdict, broken, claim, first_of, holds, undecided
from lab.model.event import frame_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Segment
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

LEAST_RATIO, MOST_RATIO = 1.5, 2.7
"""Of two intervals of which the second is twice the first, where either timer may be late."""
NOTHING_LOST = "no wire dropped what this is about"


@claim(
    "Each timeout is twice as long as the one before.",
    source="RFC 6298, 5.5",
    name="doubles",
)
def doubles_its_timeout(timeline: Timeline) -> Verdict:
    """Between the copies of a segment that a wire dropped again and again, whatever it is."""
    said: list[str] = []
    evidence: list[EventId] = []
    for talk, copies in _series(timeline):
        if len(copies) < 3:
            continue
        sent = [timeline.sent_between(timeline.crossing_of[each.crossing]) for each in copies]
        held_ns = _left_ns(timeline, copies[0]) - sent[0][0]
        if held_ns >= FIRST_TIMEOUT_NS or any(sooner != later for sooner, later in sent):
            continue  # while a copy waits for its neighbour's address Linux sends no other
        waits = [later - sooner for (sooner, _), (later, _) in pairwise(sent)]
        frames = [frame_id(each.crossing) for each in copies]
        lost = [each for each in timeline.struck if each.frame in frames]
        about = [*frames, *(each.id for each in lost)]
        length = ", ".join(f"{wait / 1e6:.0f} ms" for wait in waits)
        text = f"{', '.join(map(str, frames))} of {talk.flow.id} after {length}"
        for wait, next_wait in pairwise(waits):
            if not LEAST_RATIO <= next_wait / wait <= MOST_RATIO:
                return broken(f"{text}: not twice as long", about)
        said.append(text)
        evidence += about
    return holds(first_of(said), dict.fromkeys(evidence)) if said else undecided(NOTHING_LOST)


@claim(
    "Where the timer alone can tell of a loss, it runs out once for each copy.",
    source="RFC 6298, 5.4; Linux, net/ipv4/tcp_timer.c",
    name="timed-out",
)
def is_sent_again_by_the_timer(timeline: Timeline) -> Verdict:
    """As many timeouts as copies, by the counter of the host that sent them."""
    for _, copies in _series(timeline):
        host = timeline.crossing_of[copies[0].crossing].sender
        frames = [frame_id(each.crossing) for each in copies]
        again = [frame_id(each) for each in _resent_by(timeline, host)]
        timeouts = timeline.counters(host)["TcpExtTCPTimeouts"]
        if timeouts is None:
            return undecided(f"TcpExtTCPTimeouts of {host} was not read", frames)
        if again != frames[1:] or timeouts != len(again):
            return undecided(
                f"{host} was seen to send {len(again)} segments again; its timer ran out "
                f"{timeouts} times (TcpExtTCPTimeouts)",
                [*frames, *again],
            )
        return holds(f"TcpExtTCPTimeouts of {host} is {timeouts}, as many as copies", frames)
    return undecided(NOTHING_LOST)


@claim(
    "Duplicate ACKs with SACK begin fast recovery, and no timer runs out.",
    source="RFC 6675, 5; Linux, net/ipv4/tcp_input.c",
    name="fast",
)
def recovers_without_a_timeout(timeline: Timeline) -> Verdict:
    """The gap is filled sooner than any timer, and the counters say why."""
    for _, copies in _series(timeline):
        if not copies[0].length or len(copies) < 2:
            continue
        host = timeline.crossing_of[copies[0].crossing].sender
        waited_ns = _left_ns(timeline, copies[1]) - _left_ns(timeline, copies[0])
        frames = [frame_id(each.crossing) for each in copies]
        text = f"{frames[1]} left {waited_ns / 1e6:.1f} ms after {frames[0]}"
        counters = timeline.counters(host)
        recoveries, timeouts = (counters[f"TcpExtTCP{n}"] for n in ("SackRecovery", "Timeouts"))
        if recoveries is None or timeouts is None:
            return undecided(f"{text}; the counters of {host} were not read", frames)
        counted = f"TcpExtTCPSackRecovery of {host} is {recoveries}, TcpExtTCPTimeouts {timeouts}"
        if waited_ns < TIMEOUT_NS and recoveries and not timeouts:
            return holds(f"{text}; {counted}", frames)
        if waited_ns >= TIMEOUT_NS and timeouts and not recoveries:
            return broken(f"{text}; {counted}", frames)
        return undecided(f"{text}; {counted}", frames)
    return undecided(NOTHING_LOST)


@claim(
    "Where the tail is lost, the last segment is sent again as a probe, before the timer runs out.",
    source="RFC 8985, 7.2 and 7.3; Linux, net/ipv4/tcp_output.c",
    name="probes",
)
def probes_the_tail(timeline: Timeline) -> Verdict:
    """After two round trips, and sooner than the least timeout: it was no timer's doing."""
    for talk, copies in _series(timeline):
        last = max((s.seq for s in talk.segments if s.from_client and s.length), default=0)
        if copies[0].seq != last or not copies[0].length or len(copies) < 2:
            continue
        host = timeline.crossing_of[copies[0].crossing].sender
        trip_ns = _least_round_trip_ns(timeline, talk)
        waited_ns = _left_ns(timeline, copies[1]) - _left_ns(timeline, copies[0])
        frames = [frame_id(each.crossing) for each in copies]
        text = f"{frames[1]} left {waited_ns / 1e6:.1f} ms after {frames[0]}"
        counters = timeline.counters(host)
        probes, timeouts = (counters[f"TcpExtTCP{name}"] for name in ("LossProbes", "Timeouts"))
        if trip_ns is None or probes is None or timeouts is None:
            return undecided(f"{text}; no round trip was seen, or no counters of {host}", frames)
        text += (
            f", a round trip being {trip_ns / 1e6:.1f} ms; TcpExtTCPLossProbes of {host} is "
            f"{probes}, TcpExtTCPTimeouts {timeouts}"
        )
        if 2 * trip_ns <= waited_ns < TIMEOUT_NS and probes and not timeouts:
            return holds(text, frames)
        if not 2 * trip_ns <= waited_ns < TIMEOUT_NS and timeouts and not probes:
            return broken(text, frames)
        return undecided(text, frames)
    return undecided(NOTHING_LOST)


@claim(
    "The probe's SACK shows the gap before it, which is filled at once.",
    source="RFC 8985, 7.4; RFC 2018, 3",
    name="probe-tells",
)
def fills_the_gap_that_the_probe_showed(timeline: Timeline) -> Verdict:
    """A SACK block of the probe's bytes arrives, then what is lost before them is sent again."""
    series = list(_series(timeline))
    for talk, copies in series:
        if len(copies) < 2:
            continue
        probe = copies[-1]
        before = [
            others[1]
            for other, others in series
            if other is talk
            and len(others) > 1
            and others[0].seq < probe.seq
            and others[1].crossing > probe.crossing
        ]
        telling = [
            each
            for each in talk.segments
            if each.from_client != probe.from_client
            and any(left <= probe.seq and right >= _end(probe) for left, right in each.sack)
        ]
        if not before or not telling:
            continue
        told, filled = telling[0], before[0]
        evidence = [frame_id(each.crossing) for each in (probe, told, filled)]
        came_ns = timeline.crossing_of[told.crossing].received_ns
        text = f"{evidence[1]} says that {evidence[0]} came; {evidence[2]} fills the gap before it"
        if came_ns is None or came_ns - _left_ns(timeline, probe) >= TIMEOUT_NS:
            return undecided(
                f"{evidence[1]} came too late to tell: a timer may be sooner", evidence
            )
        if came_ns > _left_ns(timeline, filled):
            return broken(f"{text}, but left before that was known", evidence)
        return holds(text, evidence)
    return undecided(NOTHING_LOST)


def _series(timeline: Timeline) -> Iterator[tuple[TcpConversation, list[Segment]]]:
    """Of every segment that was lost on its way all its copies, itself the first, in order."""
    for talk in timeline.conversations:
        found: dict[tuple[bool, int, int], list[Segment]] = {}
        for each in talk.segments:
            if timeline.crossing_of[each.crossing].is_made or _end(each) == each.seq:
                continue
            found.setdefault((each.from_client, each.seq, _end(each)), []).append(each)
        for copies in found.values():
            if copies[0].notes & UNTAKEN:
                yield talk, copies


def _resent_by(timeline: Timeline, host: str) -> Iterator[int]:
    """The crossings of all segments that the host sent again."""
    for talk in timeline.conversations:
        for each in talk.segments:
            crossing: Crossing = timeline.crossing_of[each.crossing]
            if crossing.sender == host and each.notes & RESENT and not crossing.is_made:
                yield each.crossing


def _least_round_trip_ns(timeline: Timeline, talk: TcpConversation) -> int | None:
    """The shortest time from a segment of the client's to what acknowledges it, as it saw them."""
    found: list[int] = []
    for place, each in enumerate(talk.segments):
        if not each.from_client or _end(each) == each.seq or each.notes & (RESENT | UNTAKEN):
            continue
        for other in talk.segments[place + 1 :]:
            if not other.from_client and other.ack is not None and other.ack >= _end(each):
                came_ns = timeline.crossing_of[other.crossing].received_ns
                if came_ns is not None:
                    found.append(came_ns - _left_ns(timeline, each))
                break
    return min(found, default=None)


def _left_ns(timeline: Timeline, segment: Segment) -> int:
    return timeline.crossing_of[segment.crossing].time_ns


def _end(segment: Segment) -> int:
    flags = segment.flags
    return segment.seq + segment.length + bool(flags & TcpFlags.SYN) + bool(flags & TcpFlags.FIN)
