"""Why nothing comes, or late: a full accept queue, Nagle's algorithm, a close() not called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.analysis.order.accept_queue import ignored_by_full_queues
from lab.analysis.order.connection_causes import first_arrived
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.segment import Note
from lab.model.event import EventId, frame_id

if TYPE_CHECKING:
    from lab.analysis.tcp.conversation import TcpConversation

_FIN = int(TcpFlags.FIN)
_HELD_NS = 1_000_000
_DELAYED_NS = 20_000_000
"""An ACK that came later than this after what it acknowledges was delayed, and not only slow: Linux
waits for 40 ms at least (TCP_DELACK_MIN)."""
_LOOKED_AT = 100
"""So many sends show what a program's sends do, however long a run is."""
_SHORT_BYTES = 536
"""The default of the maximum segment size (RFC 9293, 3.7.1): shorter is short in any case."""
_LONG_NS, _FORGOTTEN_NS = 1_000_000_000, 100_000_000
"""A program that closes within the first has not forgotten to; one that ended without a close(2)
has, unless its end came within the second."""


def waits(facts: StepFacts) -> Iterator[Cause]:
    """The causes of a step's long waits."""
    yield from _full_queues(facts)
    yield from _held_by_nagle(facts)
    yield from _closed_late(facts)


def _full_queues(facts: StepFacts) -> Iterator[Cause]:
    """SYNs that met a full accept queue. Source: listen(2)."""
    found = ignored_by_full_queues(facts.evidence, facts.correlation, facts.timeline.held)
    for syn, waiting, limit, seen_ns in found:
        host = facts.timeline.crossing_of[syn.number].receiver
        came_ns = facts.evidence.arrival_ns(syn)
        seen = ""
        if seen_ns is not None and came_ns is not None:
            seen = f", as sock_diag(7) showed {ms(seen_ns - came_ns)} later"
        yield Cause(
            "accept-queue-full",
            f"The accept queue is full ({waiting} of {limit}{seen}): the kernel of {host} ignores "
            f"the SYN ({syn}), which is sent again until accept() has made room.",
            host,
            (syn,),
            "listen(2), backlog",
            Surprise.ELSEWHERE,
            facts.counted(host, "TcpExtListenOverflows", "TcpExtListenDrops"),
        )


def _closed_late(facts: StepFacts) -> Iterator[Cause]:
    """A side that stayed in CLOSE-WAIT: its program did not close what its peer had closed.

    One that went on sending used the connection's other direction, and has not forgotten it.
    """
    evidence = facts.evidence
    by_endpoint = {each.endpoint: each for each in facts.correlation.closed}
    for talk, is_client, endpoint in evidence.tcp_ends():
        fin = first_arrived(evidence, talk, not is_client, _FIN)
        came_ns = evidence.arrival_ns(fin)
        closed = by_endpoint.get(endpoint.id)
        if fin is None or came_ns is None or closed is None or facts.is_over(came_ns):
            continue
        left_ns = evidence.departure_ns(closed.segment)
        was_stopped = left_ns is not None and facts.is_over(left_ns)
        if was_stopped:
            left_ns = facts.stopped_ns
        if left_ns is None or left_ns - came_ns < (
            _FORGOTTEN_NS if closed.call is None else _LONG_NS
        ):
            continue
        own = (each for each in talk.segments if each.from_client == is_client and each.length)
        if any(facts.departure_ns(each) > came_ns for each in own):
            continue
        call = None if closed.call is None else facts.timeline.call_of[closed.call]
        if (was_stopped or call is None) and any(facts.calls_on(endpoint, "close")):
            continue  # it did close it, by one descriptor of several: see closings.py
        if was_stopped:
            how = "and had not called close() when the lab ended it"
        elif call is None:
            how = "and never called close(): its end closed the socket"
        else:
            how = f"until {named(call)}"
        yield Cause(
            "close-wait",
            f"{endpoint.program} stays in CLOSE-WAIT for {ms(left_ns - came_ns)} after the peer's "
            f"FIN ({fin}), {how}.",
            endpoint.program,
            known_ids(fin, call, closed.segment),
            "RFC 9293, 3.6; tcp(7)",
            Surprise.ELSEWHERE if call is None else Surprise.HIDDEN,
        )


def _held_by_nagle(facts: StepFacts) -> Iterator[Cause]:
    """A short send that left only with the ACK of all before it. Source: RFC 9293, 3.7.4."""
    evidence = facts.evidence
    for channel in facts.correlation.channels:
        talk = None if channel.flow is None else evidence.conversations.get(channel.flow)
        for part in channel.parts[:_LOOKED_AT] if talk is not None else ():
            call = evidence.calls.by_id[part.call]
            left_ns = evidence.departure_ns(next(iter(part.segments), None))
            if call.exit_ns is None or left_ns is None or left_ns - call.exit_ns < _HELD_NS:
                continue
            assert talk is not None
            held = _released_by(facts, talk, part.segments[0], left_ns)
            if held is None:
                continue
            ack, delay_ns = held
            if delay_ns < _DELAYED_NS:
                continue  # every short send may be held so for a round trip
            yield Cause(
                "nagle",
                f"The bytes of {named(call)} waited {ms(left_ns - call.exit_ns)} for {ack}, which "
                f"the other side delayed by {ms(delay_ns)}: by Nagle's algorithm a short segment "
                "leaves only when all before it is acknowledged, unless TCP_NODELAY is set.",
                call.program,
                known_ids(call, ack, part.segments[0]),
                "RFC 9293, 3.7.4 and 3.8.6.3; tcp(7), TCP_NODELAY",
                Surprise.ELSEWHERE,
            )


def _released_by(
    facts: StepFacts, talk: TcpConversation, segment: EventId, left_ns: int
) -> tuple[EventId, int] | None:
    """The ACK that let a short segment leave, and how long after the bytes before it that came.

    None where anything else may have held it: the peer's window, or more bytes on their way than
    any congestion window forbids.
    """
    evidence = facts.evidence
    at = next(n for n, each in enumerate(talk.segments) if each.crossing == segment.number)
    held, earlier = talk.segments[at], talk.segments[:at]
    peers = [each for each in earlier if each.from_client != held.from_client]
    if len(peers) < 2 or not held.length or peers[-1].ack != held.seq:
        return None
    ack, known = frame_id(peers[-1].crossing), peers[-2]
    come_ns, sent_ns = evidence.arrival_ns(ack), evidence.departure_ns(ack)
    if come_ns is None or sent_ns is None or not 0 <= left_ns - come_ns < _HELD_NS:
        return None
    on_their_way = held.seq - (known.ack or 0)
    is_short = on_their_way + held.length <= min(_SHORT_BYTES, known.window_bytes)
    own = [each for each in earlier if each.from_client == held.from_client]
    if any(Note.RETRANSMISSION in each.notes for each in own):
        return None  # the congestion window may be one segment (RFC 5681, 3.1)
    before = [each for each in own if each.length]
    if not is_short or on_their_way <= 0 or not before:
        return None
    arrived_ns = evidence.arrival_ns(frame_id(before[-1].crossing))
    return ack, 0 if arrived_ns is None else sent_ns - arrived_ns
