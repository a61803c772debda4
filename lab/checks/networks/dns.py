"""Checks of a resolver that asks a name server: numbers, questions, and the way over TCP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.messages.dns import MOST_UDP_BYTES, DnsMessage, code_name, parse_dns, split_dns
from lab.analysis.messages.message import messages_of
from lab.frozen import frozen
from lab.model.claim import Verdict, broken, claim, first_of, holds, undecided
from lab.model.event import frame_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

PORT, NO_SUCH_NAME = 53, 3
NOBODY_ASKED = "no question was seen"


@frozen
class Said:
    """A message that came, with the frames that carried it."""

    message: DnsMessage
    size: int
    """Bytes of the message alone."""
    frames: tuple[EventId, ...]
    left_ns: int
    came_ns: int


@frozen
class Lookup:
    """A question, and what came back to the port that asked: the first message that did."""

    question: Said
    answer: Said | None
    is_tcp: bool
    opened: EventId | None = None
    """The SYN of its connection."""


@claim(
    "Each answer has the number and the question of what it answers.",
    source="RFC 1035, 4.1.1, 4.1.2 and 7.3",
    name="answers",
)
def answers_what_was_asked(timeline: Timeline) -> Verdict:
    """Of each question, over UDP and over TCP, what came back by the same ports."""
    said: list[str] = []
    evidence: list[EventId] = []
    for lookup in _lookups(timeline):
        question, answer = lookup.question, lookup.answer
        evidence += question.frames
        if answer is None:
            return broken(f"nothing answers {question.frames[0]}", evidence)
        evidence += answer.frames
        what = f"{question.message.identifier:#06x} {answer.frames[0]}"
        if answer.message.identifier != question.message.identifier:
            number = f"{answer.message.identifier:#06x}"
            return broken(f"{answer.frames[0]} has the number {number}", evidence)
        if answer.message.questions != question.message.questions:
            return broken(f"{answer.frames[0]} repeats another question", evidence)
        said.append(f"{question.frames[0]} {what}")
    return holds(first_of(said), evidence) if said else undecided(NOBODY_ASKED)


@claim(
    "Over UDP an answer of more than 512 bytes is cut, and says so: TC.",
    source="RFC 1035, 4.1.1 and 4.2.1; RFC 2181, 9",
    name="cut",
)
def cuts_what_is_too_long(timeline: Timeline) -> Verdict:
    """The one with TC fits; the whole one, over TCP, would not have; no other has TC."""
    lookups = list(_lookups(timeline))
    over_udp = [each.answer for each in lookups if not each.is_tcp and each.answer is not None]
    if not over_udp:
        return undecided(NOBODY_ASKED)
    for answer in over_udp:
        if answer.size > MOST_UDP_BYTES:
            return broken(f"{answer.frames[0]} has {answer.size} bytes", answer.frames)
    cut = [answer for answer in over_udp if answer.message.is_truncated]
    said: list[str] = []
    evidence: list[EventId] = []
    for answer in cut:
        whole = _over_tcp(lookups, answer)
        evidence += answer.frames
        if whole is None or whole.answer is None:
            return undecided(f"how long the answer cut in {answer.frames[0]} is was not seen")
        evidence += whole.answer.frames
        text = f"{answer.frames[0]} has {answer.size} bytes and TC, the whole {whole.answer.size}"
        if whole.answer.size <= MOST_UDP_BYTES:
            return broken(text, evidence)
        said.append(text)
    return holds(first_of(said), evidence) if said else undecided("no answer was cut")


@claim(
    "Then the same question goes over TCP, behind its length, and the answer is whole.",
    source="RFC 7766, 5 and 8; RFC 1035, 4.2.2",
    name="tcp",
)
def asks_again_over_tcp(timeline: Timeline) -> Verdict:
    """A connection to port 53 that opens once the cut answer is there."""
    lookups = list(_lookups(timeline))
    cut = [
        each.answer
        for each in lookups
        if each.answer is not None and not each.is_tcp and each.answer.message.is_truncated
    ]
    said: list[str] = []
    evidence: list[EventId] = []
    for answer in cut:
        again = _over_tcp(lookups, answer)
        evidence += answer.frames
        if again is None:
            return broken(f"nobody asked again after {answer.frames[0]}", evidence)
        evidence += [*([again.opened] if again.opened else []), *again.question.frames]
        if again.answer is None:
            return broken(f"nothing answers {again.question.frames[0]}", evidence)
        evidence += again.answer.frames
        records = len(again.answer.message.answers)
        text = (
            f"{again.question.frames[0]} asks again after {answer.frames[0]}; "
            f"{again.answer.frames[0]} has all {records} records"
        )
        if again.answer.message.is_truncated or not records:
            return broken(f"{again.answer.frames[0]} has {again.answer.message}", evidence)
        said.append(text)
    return holds(first_of(said), evidence) if said else undecided("no answer was cut")


@claim(
    "Of a name that is not there, the answer has a code and no record.",
    source="RFC 1035, 4.1.1; RFC 2308, 2.1",
    name="no-such-name",
)
def says_that_there_is_none(timeline: Timeline) -> Verdict:
    """NXDOMAIN, and nothing in the answer's section."""
    answers = [each.answer for each in _lookups(timeline) if each.answer is not None]
    if not answers:
        return undecided(NOBODY_ASKED)
    empty = [each for each in answers if not each.message.answers and not each.message.is_truncated]
    for answer in (*empty, *answers):
        message, frame = answer.message, answer.frames[0]
        if message.code == NO_SUCH_NAME and message.answers:
            return broken(f"{frame} has a record and {code_name(message.code)}", answer.frames)
        if answer in empty and message.code != NO_SUCH_NAME:
            return broken(f"{frame} has no record and {code_name(message.code)}", answer.frames)
    if not empty:
        return undecided("every name was there")
    said = [f"{each.frames[0]} has {code_name(each.message.code)}" for each in empty]
    return holds(first_of(said), [frame for each in empty for frame in each.frames])


def _lookups(timeline: Timeline) -> Iterator[Lookup]:
    """All of them: each UDP flow's by its datagrams, each connection's by its streams."""
    for flow in timeline.flows:
        if flow.protocol != "udp" or PORT not in (flow.a.port, flow.b.port):
            continue
        said = [
            (
                crossing.sender,
                Said(message, len(crossing.packet.payload), (crossing.id,), crossing.time_ns, came),
            )
            for crossing in flow.crossings
            if (came := crossing.received_ns) is not None
            for message in messages_of(crossing.packet)
            if isinstance(message, DnsMessage)
        ]
        for place, (asker, question) in enumerate(said):
            if not question.message.is_answer:
                back = (each for sender, each in said[place + 1 :] if sender != asker)
                yield Lookup(question, next(back, None), is_tcp=False)
    for talk in timeline.conversations:
        if PORT in (talk.flow.a.port, talk.flow.b.port):
            yield from _over_a_connection(timeline, talk)


def _over_a_connection(timeline: Timeline, talk: TcpConversation) -> Iterator[Lookup]:
    """The messages of both ways, the first with the first."""
    asked, answered = (_said_in(timeline, talk, from_client=way) for way in (True, False))
    opened = frame_id(talk.handshake.syn) if talk.handshake else None
    for place, question in enumerate(asked):
        answer = answered[place] if place < len(answered) else None
        yield Lookup(question, answer, is_tcp=True, opened=opened)


def _said_in(timeline: Timeline, talk: TcpConversation, *, from_client: bool) -> list[Said]:
    stream = talk.client_to_server if from_client else talk.server_to_client
    found: list[Said] = []
    for at, data in split_dns(stream.data):
        message = parse_dns(data)
        carriers = [
            timeline.crossing_of[segment.crossing]
            for segment in talk.segments
            # The stream's first byte has sequence number 1.
            if segment.from_client == from_client and segment.length
            and segment.seq - 1 < at + 2 + len(data) and segment.seq - 1 + segment.length > at
        ]  # fmt: skip
        came = [each for each in carriers if each.received_ns is not None]
        if message is None or not came:
            break
        frames = tuple(each.id for each in came)
        last_ns = max(each.received_ns or 0 for each in came)
        found.append(Said(message, len(data), frames, came[0].time_ns, last_ns))
    return found


def _over_tcp(lookups: list[Lookup], cut: Said) -> Lookup | None:
    """The lookup of the same question over TCP that began once the cut answer had come."""
    for each in lookups:
        is_same = each.question.message.questions == cut.message.questions
        if each.is_tcp and is_same and each.question.left_ns > cut.came_ns:
            return each
    return None
