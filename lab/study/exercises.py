"""The questions that a step of a run answers, row by row of its ladder.

Sources: RFC 9293, 3.1 (flags and numbers), 3.3.2 (states), 3.4 (how numbers are counted).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.story import flag_names, roles
from lab.ladder.frames import segments_by_crossing
from lab.ladder.model import CallRow, FrameRow, Ladder, Part, Row
from lab.study.exercise import Exercise, Topic
from lab.study.gaps import STATES, states_of

if TYPE_CHECKING:
    from lab.analysis.tcp.segment import Segment
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

_SYN, _FIN, _RST = int(TcpFlags.SYN), int(TcpFlags.FIN), int(TcpFlags.RST)

KINDS_OF_SEGMENTS = ("SYN", "SYN ACK", "ACK", "ACK with data", "FIN ACK", "RST", "RST ACK")
"""Among which the next one is to be found, from either side."""


def segment_of_event(timeline: Timeline) -> Mapping[EventId, Segment]:
    """The TCP segments of a step by their frames."""
    segments = segments_by_crossing(timeline.conversations)
    crossings = timeline.crossing_of
    return {crossings[number].id: each for number, each in segments.items()}


def exercises_of(timeline: Timeline, ladder: Ladder) -> tuple[Exercise, ...]:
    """All of them, in the order of the ladder's rows; `ladder` is the step's, brief or whole."""
    segments = segment_of_event(timeline)
    why = roles(timeline.conversations, timeline.crossings)
    changes = _state_changes(ladder.rows)
    found: list[Exercise] = []
    asked: set[EventId] = set()
    for place, row in enumerate(ladder.rows):
        if isinstance(row, FrameRow) and row.event in segments and row.event not in asked:
            # Of a frame in two rows, where it leaves: what comes of it is not shown yet.
            asked.add(row.event)
            segment = segments[row.event]
            of_it = _of_segment(ladder, place, row, segment, why.get(segment.crossing, ""))
            found += (
                each
                for each in of_it
                if each.topic not in STATES or (each.event, each.topic) in changes
            )
        elif isinstance(row, CallRow):
            found += _of_call(ladder, place, row)
    return tuple(found)


def next_text(sender: str, segment: Segment) -> str:
    """A segment as a choice among the next: "server: SYN ACK"."""
    return f"{sender}: {kind_of_segment(segment)}"


def kind_of_segment(segment: Segment) -> str:
    """Its flags, without those that say nothing of its part; "ACK with data"."""
    flags = segment.flags & ~(TcpFlags.PSH | TcpFlags.ECE | TcpFlags.CWR | TcpFlags.URG)
    name = flag_names(flags) or "no flags"
    return f"{name} with data" if segment.length and name == "ACK" else name


def _of_segment(
    ladder: Ladder, place: int, row: FrameRow, segment: Segment, role: str
) -> Iterator[Exercise]:
    sender, receiver = ladder.lanes[row.source].name, ladder.lanes[row.target].name
    what = f"{row.name or row.event}, from {sender} to {receiver}"
    bits = int(segment.flags)
    said = f"{role}. " if role else ""

    def ask(asked: Topic, question: str, answer: str, why: str) -> Exercise:
        return Exercise(asked, row.event, place, f"{what}: {question}", answer, why)

    flags = flag_names(segment.flags) or "no flags"
    yield ask(Topic.FLAGS, "which flags?", flags, f"{said}RFC 9293, 3.1")
    if bits & (_SYN | _FIN) or segment.length:
        yield ask(Topic.SEQ, "which sequence number, counted from the SYN's 0?", *_seq(segment))
    if segment.ack is not None and not bits & _RST:
        why = (
            f"{sender} has everything up to {segment.ack - 1} and expects {segment.ack} next. "
            "RFC 9293, 3.4"
        )
        yield ask(Topic.ACK, "which acknowledgment number?", str(segment.ack), why)
    if segment.length:
        why = "The bytes behind the TCP header: as many the next sequence number is higher by."
        yield ask(
            Topic.LENGTH, "how many bytes of payload?", str(segment.length), f"{why} RFC 9293, 3.4"
        )
    if row.sender_state:
        why = f"{said}RFC 9293, 3.3.2"
        question = f"in which state is {sender} once it has sent this?"
        yield ask(Topic.SENDER_STATE, question, row.sender_state, why)
    if row.receiver_state:
        question = f"in which state is {receiver} once this has come?"
        yield ask(Topic.RECEIVER_STATE, question, row.receiver_state, f"{said}RFC 9293, 3.3.2")
    others = [f"{name}: {kind}" for name in (sender, receiver) for kind in KINDS_OF_SEGMENTS]
    answer = next_text(sender, segment)
    yield Exercise(
        Topic.NEXT,
        row.event,
        place,
        "Which segment comes next, and from whom?",
        answer,
        f"{said}RFC 9293, 3.5 and 3.6",
        tuple(dict.fromkeys((answer, *others))),
    )


def _seq(segment: Segment) -> tuple[str, str]:
    """The number, and how it is counted."""
    if int(segment.flags) & _SYN:
        return str(segment.seq), "The SYN has the initial sequence number. RFC 9293, 3.4.1"
    return str(segment.seq), (
        "The SYN counts as one, and every byte of payload: the number is that of the first byte "
        "here, or of the FIN. RFC 9293, 3.4"
    )


def _of_call(ladder: Ladder, place: int, row: CallRow) -> Iterator[Exercise]:
    """A call whose result stands in a row of its own place, and is worth asking for."""
    if row.part is Part.END or not row.result or row.name in _DESCRIPTORS:
        return
    if row.error:
        why = f"It fails with {row.error}: {row.name}(2), ERRORS."
    elif row.result == "0":
        why = f"0: {row.name}(2), RETURN VALUE."
        if row.name in _READS:
            why = f"0 is the end of the stream, or an empty message: {row.name}(2), RETURN VALUE."
    else:
        why = f"{row.name}(2), RETURN VALUE."
    text = f"{ladder.lanes[row.lane].name}, {row.text}: what does it return?"
    yield Exercise(Topic.RESULT, row.event, place, text, row.result, why)


_DESCRIPTORS = frozenset({"socket", "accept", "accept4", "dup", "dup2", "dup3", "pipe2"})
"""They return the lowest descriptor that is free, which is no question about sockets."""
_READS = frozenset({"read", "recv", "recvfrom", "recvmsg", "readv"})


def _state_changes(rows: Iterable[Row]) -> set[tuple[EventId, Topic]]:
    """Where a lane's state is another than before: only there it is worth asking for."""
    before: dict[tuple[int, str], str] = {}
    found: set[tuple[EventId, Topic]] = set()
    for row in rows:
        if isinstance(row, FrameRow):
            for kind, lane, state in states_of(row):
                if before.get((lane, row.connection)) != state:
                    found.add((row.event, kind))
                before[lane, row.connection] = state
    return found
