"""Two runs of one scenario against each other: what is the same, and what is otherwise."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from lab.analysis.story import describe_packet, describe_segment
from lab.analysis.tcp.segment import Note
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline
    from lab.model.claim import Judgement

LIKE = 2.0
"""Times that differ by no more than this factor count as alike: no time comes again exactly."""


class Found(enum.Enum):
    """Where something is."""

    BOTH = "same"
    FIRST = "first"
    SECOND = "second"
    OTHERWISE = "other"
    """In both, but not alike."""


@frozen
class Compared:
    """One thing that both runs have, and how much of it."""

    name: str
    first: str
    second: str
    found: Found


@frozen
class Aligned:
    """One event of a sequence: of both runs, or of one of them."""

    text: str
    found: Found


@frozen
class StepDifference:
    """One step of both runs."""

    step: str
    measures: tuple[Compared, ...]
    frames: tuple[Aligned, ...]
    states: tuple[Aligned, ...]


@frozen
class RunDifference:
    """Two runs of one scenario."""

    steps: tuple[StepDifference, ...]
    claims: tuple[Compared, ...]
    """By text, the verdicts."""

    @property
    def is_same(self) -> bool:
        """Whether nothing differs but times."""
        claims = all(each.found is Found.BOTH for each in self.claims)
        return claims and all(
            each.found is Found.BOTH for step in self.steps for each in (*step.frames, *step.states)
        )


def compare_runs(
    first: tuple[Sequence[Timeline], Sequence[Judgement]],
    second: tuple[Sequence[Timeline], Sequence[Judgement]],
) -> RunDifference:
    """The difference of two judged runs; steps that one of them has alone are left out."""
    others = {timeline.step: timeline for timeline in second[0]}
    steps = tuple(
        _step(timeline, others[timeline.step]) for timeline in first[0] if timeline.step in others
    )
    verdicts = [
        {each.text: each.verdict.outcome.value for each in run[1]} for run in (first, second)
    ]
    claims = tuple(
        _compared(text, *(each.get(text, "") for each in verdicts))
        for text in dict.fromkeys([*verdicts[0], *verdicts[1]])
    )
    return RunDifference(steps, claims)


def _step(first: Timeline, second: Timeline) -> StepDifference:
    return StepDifference(
        first.step,
        tuple(_measures(first, second)),
        tuple(_align(_frames(first), _frames(second))),
        tuple(_align(_states(first), _states(second))),
    )


def _measures(first: Timeline, second: Timeline) -> Iterator[Compared]:
    counts: list[tuple[str, Callable[[Timeline], int]]] = [
        ("frames", lambda each: len(each.crossings)),
        ("bytes on the wire", _wire_bytes),
        ("retransmissions", lambda each: _noted(each, Note.RETRANSMISSION)),
        ("duplicate ACKs", lambda each: _noted(each, Note.DUPLICATE_ACK)),
        ("lost frames", lambda each: sum(crossing.lost for crossing in each.crossings)),
        ("drops by the kernel", lambda each: len(each.drops)),
        ("system calls", lambda each: len(each.system_calls)),
        ("changes of TCP states", lambda each: len(each.states)),
    ]
    for name, count in counts:
        one, other = count(first), count(second)
        if one or other:
            yield _compared(name, f"{one:,}", f"{other:,}")
    calls = [Counter(call.name for call in each.system_calls) for each in (first, second)]
    for name in sorted({*calls[0], *calls[1]}):
        if calls[0][name] != calls[1][name]:
            yield _compared(f"calls of {name}", str(calls[0][name]), str(calls[1][name]))
    times: list[tuple[str, Callable[[Timeline], int | None]]] = [
        ("handshake's round trip", _round_trip_ns),
        ("from the first event to the last", _duration_ns),
    ]
    for name, time in times:
        one_ns, other_ns = time(first), time(second)
        if one_ns is not None or other_ns is not None:
            yield Compared(name, _ms(one_ns), _ms(other_ns), _alike(one_ns, other_ns))


def _compared(name: str, one: str, other: str) -> Compared:
    found = Found.BOTH if one == other else Found.OTHERWISE
    if not one or not other:
        found = Found.SECOND if not one else Found.FIRST
    return Compared(name, one, other, found)


def _alike(one_ns: int | None, other_ns: int | None) -> Found:
    if one_ns is None or other_ns is None:
        return Found.SECOND if one_ns is None else Found.FIRST
    low, high = sorted((one_ns, other_ns))
    return Found.BOTH if high <= low * LIKE else Found.OTHERWISE


def _wire_bytes(timeline: Timeline) -> int:
    return sum(crossing.packet.frame.wire_bytes for crossing in timeline.crossings)


def _noted(timeline: Timeline, note: Note) -> int:
    conversations = timeline.conversations
    return sum(note in segment.notes for each in conversations for segment in each.segments)


def _round_trip_ns(timeline: Timeline) -> int | None:
    found = (each.handshake for each in timeline.conversations)
    return next((each.syn_to_syn_ack_ns for each in found if each is not None), None)


def _duration_ns(timeline: Timeline) -> int | None:
    times = [event.time_ns for event in timeline.order.events]
    return max(times) - min(times) if times else None


def _ms(time_ns: int | None) -> str:
    return "" if time_ns is None else f"{time_ns / 1e6:.3f} ms"


def _frames(timeline: Timeline) -> list[str]:
    """What each frame is, in words without what differs from run to run: ports, ISNs, times."""
    segment_of = {
        segment.crossing: segment
        for conversation in timeline.conversations
        for segment in conversation.segments
    }
    kinds = {
        endpoint.port: name
        for flow in timeline.flows
        for endpoint, name in ((flow.b, "server"), (flow.a, "client"))
    }
    words = []
    for crossing in timeline.crossings:
        packet, segment = crossing.packet, segment_of.get(crossing.number)
        if segment is not None:
            text = describe_segment(segment)
            text += "".join(f", {note.value}" for note in sorted(segment.notes, key=_by_value))
        elif packet.udp is not None:
            ports = packet.udp.source_port, packet.udp.destination_port
            ends = " > ".join(kinds.get(port, str(port)) for port in ports)
            text = f"UDP {ends} len={packet.udp.payload_bytes}"
        else:
            text = describe_packet(packet)
        lost = ", lost" if crossing.lost else ""
        words.append(f"{crossing.sender} → {crossing.receiver}: {text}{lost}")
    return words


def _by_value(note: Note) -> str:
    return note.value


def _states(timeline: Timeline) -> list[str]:
    """The states of each host's sockets in their order, host by host."""
    hosts = {event.id: event.host for event in timeline.order.events}
    changes = [
        (hosts.get(seen.id, ""), f"{seen.state.old or '?'} → {seen.state.new}")
        for seen in timeline.states
    ]
    return [f"{host}: {change}" for host, change in sorted(changes, key=lambda each: each[0])]


def _align(first: Sequence[str], second: Sequence[str]) -> Iterator[Aligned]:
    """Both sequences as one, in which what both have stands once."""
    for kind, a, b, c, d in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from (Aligned(text, Found.BOTH) for text in first[a:b])
            continue
        yield from (Aligned(text, Found.FIRST) for text in first[a:b])
        yield from (Aligned(text, Found.SECOND) for text in second[c:d])
