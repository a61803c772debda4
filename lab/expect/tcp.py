"""What is expected of TCP connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.story import describe_segment
from lab.analysis.tcp.conversation import Teardown
from lab.analysis.tcp.segment import UNTAKEN, Note
from lab.expect.expectation import Expectation, met, unmet, worst
from lab.expect.matching import in_order
from lab.expect.values import Where, as_bytes, shown
from lab.frozen import frozen
from lab.model.claim import Contrast, Verdict, frame_ids, undecided
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Segment
    from lab.analysis.tcp.stream import Stream
    from lab.expect.patterns import AnyFrame
    from lab.expect.subject import Subject
    from lab.model.event import EventId

_SHOWN_SEGMENTS = 6
_OPENS_OR_ENDS = TcpFlags.SYN | TcpFlags.FIN | TcpFlags.RST

Amount = int | bytes | str | Where
"""A number of bytes, the bytes themselves, or either as one of lab.expect.values has it."""

_Check = Callable[["TcpConversation"], Verdict]


@frozen
class WhichConnections:
    """WhichConnections of the TCP connections are meant; where nothing is said, all."""

    client: str = ""
    """The host that opened it, by name or address."""
    server: str = ""
    port: int | None = None
    """The server's."""
    client_port: int | None = None
    """The client's."""
    nth: int | None = None
    """Of those, the first, second …: from 1."""

    def __str__(self) -> str:
        words = [
            f"from {self.client}" if self.client else "",
            f"to {self.server}" if self.server else "",
            f"to port {self.port}" if self.port is not None else "",
            f"from port {self.client_port}" if self.client_port is not None else "",
            f"number {self.nth}" if self.nth is not None else "",
        ]
        return " ".join(filter(None, words))

    def of(self, subjects: Sequence[Subject]) -> list[TcpConversation]:
        """Those that are meant, in order of their first segments."""
        every = (talk for subject in subjects for talk in subject.conversations)
        found = [talk for talk in every if self._is_meant(talk)]
        return found if self.nth is None else found[self.nth - 1 : self.nth]

    def _is_meant(self, talk: TcpConversation) -> bool:
        return (
            (not self.client or self.client in names_of(talk, client=True))
            and (not self.server or self.server in names_of(talk, client=False))
            and self.port in (None, talk.flow.b.port)
            and self.client_port in (None, talk.flow.a.port)
        )


def names_of(talk: TcpConversation, *, client: bool) -> tuple[str, ...]:
    """What one side may be called: its host, its address."""
    end = talk.flow.a if client else talk.flow.b
    crossing_of = {crossing.number: crossing for crossing in talk.flow.crossings}
    for segment in talk.segments:
        crossing = crossing_of[segment.crossing]
        host = crossing.sender if segment.from_client == client else crossing.receiver
        if host:
            return host, str(end.address)
    return (str(end.address),)


def as_the_client_saw(talk: TcpConversation) -> list[Segment]:
    """The segments in the order in which the client sent and received them."""
    crossing_of = {crossing.number: crossing for crossing in talk.flow.crossings}

    def at_client(segment: Segment) -> int:
        crossing = crossing_of[segment.crossing]
        seen = crossing.sent_ns if segment.from_client else crossing.received_ns
        return crossing.time_ns if seen is None else seen

    return sorted(talk.segments, key=at_client)


def handshake(which: WhichConnections) -> Expectation:
    """It opens with SYN, SYN-ACK and ACK."""

    def check(talk: TcpConversation) -> Verdict:
        if hands := talk.handshake:
            numbers = frame_ids((hands.syn, hands.syn_ack, hands.ack))
            return met(f"{_name(talk)} opens with f{hands.syn}, f{hands.syn_ack}", numbers)
        compared = [Contrast("begins with", "SYN, SYN-ACK, ACK", _shape(talk))]
        return unmet(f"{_name(talk)} never opened", compared, _first(talk))

    return _each("handshake", "opens with SYN, SYN-ACK and ACK", "RFC 9293, 3.5", which, check)


def no_reset(which: WhichConnections) -> Expectation:
    """No RST ends it: none comes before both sides' FINs are acknowledged."""

    def check(talk: TcpConversation) -> Verdict:
        if not talk.resets:
            return met(f"{_name(talk)} has no RST", _first(talk))
        if not talk.aborts:
            late = f"f{talk.resets[0]} answers what came after both FINs were acknowledged"
            return met(f"{_name(talk)} is not reset: the RST {late}", frame_ids(talk.resets))
        by = _sender(talk, talk.aborts[0])
        what = f"{counted(len(talk.aborts), 'RST')}: f{talk.aborts[0]} from {by}"
        compared = [Contrast("RST", "none", what)]
        return unmet(f"{_name(talk)} is reset by {by}", compared, frame_ids(talk.aborts))

    return _each("no-reset", "is not reset", "RFC 9293, 3.5.2", which, check)


def closes_with_fin(which: WhichConnections, by: str = "") -> Expectation:
    """A FIN each way, acknowledged; `by` is who sent its FIN first: "client", "server", a host."""

    def check(talk: TcpConversation) -> Verdict:
        ways = talk.client_to_server, talk.server_to_client
        fins = [way.fin for way in ways if way.fin is not None]
        if talk.teardown is not Teardown.FIN or None in (ways[0].fin_acked, ways[1].fin_acked):
            compared = [Contrast("end", "FIN from both sides, acknowledged", _end(talk))]
            evidence = frame_ids((*talk.aborts, *fins)) or _last(talk)
            return unmet(f"{_name(talk)} ends otherwise: {_end(talk)}", compared, evidence)
        first_is_client = fins[0] < fins[1]
        names = ("client" if first_is_client else "server", *names_of(talk, client=first_is_client))
        if by and by not in names:
            compared = [Contrast("first FIN from", by, names[1])]
            return unmet(f"{_name(talk)} is closed by {names[1]}", compared, frame_ids(fins))
        return met(f"{_name(talk)} ends with f{fins[0]} and f{fins[1]}", frame_ids(fins))

    closing = f", first the {by}'s" if by in ("client", "server") else f", first {by}'s"
    sentence = f"ends with a FIN from both sides{closing if by else ''}"
    name = f"closes-with-fin:{by}" if by else "closes-with-fin"
    return _each(name, sentence, "RFC 9293, 3.6", which, check)


def round_trips(which: WhichConnections, at_most: int) -> Expectation:
    """The times that one side waits for the other: the handshake, and each request with its answer.

    Counted as the client sees it: a SYN or new payload that it sends and that the server answers
    with a SYN-ACK or payload. Where the server speaks first, the client's last ACK of the handshake
    is what it answers. What only acknowledges, ends, or comes again counts nothing.
    """

    def check(talk: TcpConversation) -> Verdict:
        turns = list(_turns(talk))
        if len(turns) <= at_most:
            why = f"{_name(talk)}: {counted(len(turns), 'round trip')}"
            return met(why, frame_ids(turns) or _first(talk))
        compared = [Contrast("round trips", f"at most {at_most}", str(len(turns)))]
        why = f"{_name(talk)} has {counted(len(turns), 'round trip')}"
        return unmet(why, compared, frame_ids(turns[at_most:]))

    words = f"takes at most {counted(at_most, 'round trip')}"
    return _each(f"round-trips<={at_most}", words, "RFC 9293, 3.5", which, check)


def transfers(
    which: WhichConnections,
    client: Amount | None = None,
    server: Amount | None = None,
) -> Expectation:
    """The payload that each side sent and the other received: how many bytes, or which."""

    def check(talk: TcpConversation) -> Verdict:
        ways = (
            (client, talk.client_to_server, "client"),
            (server, talk.server_to_client, "server"),
        )
        for wanted, stream, who in ways:
            if wanted is None:
                continue
            if different := _difference(wanted, stream, who):
                sent = frame_ids(
                    segment.crossing
                    for segment in talk.segments
                    if segment.length and segment.from_client == (who == "client")
                )
                why = f"{_name(talk)}: other bytes from the {who}"
                return unmet(why, [different], sent or _last(talk))
        carriers = [segment.crossing for segment in talk.segments if segment.length]
        return met(f"{_name(talk)} carries these bytes", frame_ids(carriers) or _first(talk))

    said = [f"{_amount(client)} from the client"] if client is not None else []
    said += [f"{_amount(server)} from the server"] if server is not None else []
    names = [f"client={_value(client)}"] if client is not None else []
    names += [f"server={_value(server)}"] if server is not None else []
    sentence = f"carries {' and '.join(said)}"
    return _each(f"bytes:{','.join(names)}", sentence, "RFC 9293, 3.4", which, check)


def retransmissions(which: WhichConnections, at_most: int) -> Expectation:
    """Segments that carry what was sent before."""

    def check(talk: TcpConversation) -> Verdict:
        again = [s.crossing for s in talk.segments if Note.RETRANSMISSION in s.notes]
        if len(again) <= at_most:
            why = f"{_name(talk)}: {counted(len(again), 'retransmission')}"
            return met(why, frame_ids(again) or _first(talk))
        compared = [Contrast("retransmissions", f"at most {at_most}", str(len(again)))]
        why = f"{_name(talk)} has {counted(len(again), 'retransmission')}"
        return unmet(why, compared, frame_ids(again[at_most:]))

    words = f"has at most {counted(at_most, 'retransmission')}" if at_most else "resends nothing"
    name = f"retransmissions<={at_most}"
    return _each(name, words, "RFC 9293, 3.8.1", which, check)


def segments(
    which: WhichConnections, patterns: Sequence[AnyFrame], *, pure_acks: bool
) -> Expectation:
    """Its segments in order, each as its pattern, and no others.

    Without `pure_acks` those that have an ACK and nothing else are left out on the wire's side: how
    many there are depends on timers.
    """

    def check(talk: TcpConversation) -> Verdict:
        chosen = [s for s in talk.segments if pure_acks or not _is_pure_ack(s)]
        crossing_of = {crossing.number: crossing for crossing in talk.flow.crossings}
        frames = [(crossing_of[segment.crossing], segment) for segment in chosen]
        found = in_order(patterns, frames, none_else=True)
        return replace(found, why=f"{_name(talk)}: {found.why}")

    kinds = "segments" if pure_acks else "segments, pure ACKs apart,"
    sentence = f"has just {len(patterns)} {kinds} as described"
    return _each("segments", sentence, "RFC 9293, 3.1", which, check)


def _each(
    name: str, words: str, source: str, which: WhichConnections, check: _Check
) -> Expectation:
    """An expectation of each connection that is meant; of none there is nothing to say."""
    about = f" {which}" if str(which) else ""

    def all_of(subjects: Sequence[Subject]) -> Verdict:
        talks = which.of(subjects)
        if not talks:
            return undecided(f"no TCP connection{about} was seen")
        return worst([check(talk) for talk in talks])

    subject = f"The TCP connection{about}" if which.nth else f"Each TCP connection{about}"
    return Expectation(name, f"{subject} {words}.", source, all_of)


def _turns(talk: TcpConversation) -> Iterator[int]:
    """The crossings by which the server answers, of each round trip the first."""
    waits = False
    hands = talk.handshake
    for segment in as_the_client_saw(talk):
        if segment.notes & UNTAKEN or Note.RETRANSMISSION in segment.notes:
            continue
        speaks = bool(segment.length) or bool(segment.flags & TcpFlags.SYN)
        if segment.from_client:
            waits |= speaks or (hands is not None and segment.crossing == hands.ack)
        elif speaks and waits:
            waits = False
            yield segment.crossing


def _difference(wanted: Amount, stream: Stream, who: str) -> Contrast | None:
    what = f"bytes from the {who}"
    if isinstance(wanted, Where):
        is_whole = len(stream.data) == stream.length
        if wanted.test(stream.length) or (is_whole and wanted.test(stream.data)):
            return None
        return Contrast(what, str(wanted), f"{stream.length}: {shown(stream.data, 40)}")
    if isinstance(wanted, int):
        return None if stream.length == wanted else Contrast(what, str(wanted), str(stream.length))
    expected, actual = as_bytes(wanted), stream.data
    if expected == actual and stream.length == len(expected):
        return None
    pairs = enumerate(zip(expected, actual, strict=False))
    at = next((n for n, (one, other) in pairs if one != other), min(len(expected), len(actual)))
    if at < 20:
        return Contrast(what, shown(expected), shown(actual))
    where = f"{what}, from byte {at} of {len(expected)} and {len(actual)}"
    return Contrast(where, shown(expected[at:]), shown(actual[at:]))


def _amount(wanted: Amount) -> str:
    if isinstance(wanted, Where):
        return f"bytes ({wanted})"
    return counted(wanted, "byte") if isinstance(wanted, int) else shown(as_bytes(wanted), 30)


def _value(wanted: Amount) -> str:
    return str(wanted) if isinstance(wanted, int | Where) else shown(as_bytes(wanted), 30)


def _is_pure_ack(segment: Segment) -> bool:
    return not segment.length and not segment.flags & _OPENS_OR_ENDS


def _name(talk: TcpConversation) -> str:
    client, server = (names_of(talk, client=side)[0] for side in (True, False))
    return f"tcp {talk.flow.number} ({client}:{talk.flow.a.port} to {server}:{talk.flow.b.port})"


def _sender(talk: TcpConversation, number: int) -> str:
    segment = next(each for each in talk.segments if each.crossing == number)
    return names_of(talk, client=segment.from_client)[0]


def _shape(talk: TcpConversation) -> str:
    first = talk.segments[:_SHOWN_SEGMENTS]
    words = [f"{_sender(talk, each.crossing)}: {describe_segment(each)}" for each in first]
    more = len(talk.segments) - len(first)
    return "; ".join(words) + (f"; {more} more" if more else "")


def _end(talk: TcpConversation) -> str:
    if talk.aborts:
        return f"RST from {_sender(talk, talk.aborts[0])}"
    if talk.teardown is Teardown.FIN:
        return "FIN from both sides, not both acknowledged"
    return str(talk.teardown.value)


def _first(talk: TcpConversation) -> tuple[EventId, ...]:
    return frame_ids(segment.crossing for segment in talk.segments[:1])


def _last(talk: TcpConversation) -> tuple[EventId, ...]:
    return frame_ids(segment.crossing for segment in talk.segments[-1:])
