"""Why a connection stands still: both sides wait, or one waits for who does something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.standing import ACCEPTS, READS, Standing
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.analysis.causes.waiting.given_up import GivenUp, given_up
from lab.analysis.sockets.facts import takes
from lab.analysis.sockets.socket_calls import room_of
from lab.model.counted import counted
from lab.model.event import EventId, frame_id

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall

_STILL_NS = 400_000_000
"""Silent for a shorter time, a connection may only be slow."""
_READ_SOURCE = "recv(2); tcp(7)"


def standstills(facts: StepFacts) -> Iterator[Cause]:
    """Why nothing more came on connections for which a program waited in vain."""
    for moment in given_up(facts):
        waits, other = moment.waits, moment.other
        if _is_moving(waits) or _is_moving(other):
            continue
        if not facts.is_traced:
            yield _silence(moment)
        elif not waits.is_reading or other.is_sending or _is_held_open(other):
            continue
        elif other.socket is None:
            if (cause := _not_accepted(facts, moment)) is not None:
                yield cause
        elif other.waits_for_all or (_has_read_all(other, waits) and not waits.has_ended):
            yield _both_wait(moment)
        elif other.call is None or other.call.name not in READS:
            yield _answers_not(moment)


def _is_moving(side: Standing) -> bool:
    """Whether something of this side was on its way, or could not go: that has other causes."""
    newest = side.segments[-1]
    silent_ns = side.now_ns - side.facts.departure_ns(newest)
    return silent_ns < _STILL_NS or side.sent != side.came or not newest.window_bytes


def _is_held_open(side: Standing) -> bool:
    """Whether it was closed, and yet not by all who had it open: a cause itself (closings.py)."""
    return any(call.name == "close" and not call.error for call in side.calls)


def _has_read_all(reader: Standing, writer: Standing) -> bool:
    """Whether a side waits for more than what it has read."""
    return reader.is_reading and reader.read == writer.came


def _since(call: SystemCall, side: Standing) -> str:
    """How long a call had lasted."""
    return ms(side.now_ns - call.entry_ns)


def _both_wait(moment: GivenUp) -> Cause:
    """Each side waits for the other's bytes, and none is on its way."""
    one, other = moment.waits, moment.other
    assert one.call is not None
    assert other.call is not None
    evidence: tuple[EventId, ...]
    if not one.came and not other.came:
        text = (
            f"Both sides wait for the other to speak first: {one.name} in {named(one.call)} and "
            f"{other.name} in {named(other.call)}, {moment.how}. Neither has sent a byte: what a "
            "program has written into a buffer of its own (stdio, makefile()) is sent only when "
            "it flushes that."
        )
        evidence = known_ids(one.call, other.call)
    else:
        spoke, has_read = sorted((one, other), key=lambda side: -side.last_sent_ns)
        assert has_read.call is not None
        assert spoke.call is not None
        data = frame_id(spoke.data[-1].crossing)
        text = (
            f"Both sides wait, {moment.how}: {spoke.name} for an answer in {named(spoke.call)}, "
            f"{has_read.name} in {named(has_read.call)} for more than the "
            f"{counted(spoke.came, 'byte')} that {spoke.name} has sent (the last in {data}). "
            f"{_what_it_waits_for(has_read, spoke)}"
        )
        evidence = known_ids(spoke.call, data, *has_read.reads[-1:], has_read.call)
    return Cause(
        "both-wait",
        text,
        str(one.talk.flow.id),
        evidence,
        _READ_SOURCE,
        Surprise.ELSEWHERE,
    )


def _what_it_waits_for(reader: Standing, writer: Standing) -> str:
    """What the bytes lack that would let the reader go on, as far as its reads show that."""
    call = reader.call
    assert call is not None
    rest, room = writer.came - reader.read, room_of(call)
    if reader.waits_for_all:
        return (
            f"That call returns when all {room} bytes are there that it asks for (MSG_WAITALL), or "
            f"at the end of the stream; {rest} have come."
        )
    wanted = _asked_for_in_all(reader)
    if wanted is not None:
        return (
            f"Its reads ask for {wanted} bytes in all, each for what the one before left, and "
            f"{wanted - (room or 0)} have come."
        )
    payload = writer.facts.crossing(writer.data[-1]).packet.payload[: writer.data[-1].length]
    is_line = payload.endswith(b"\n")
    what = "to the end of the stream" if is_line else "of a line, or to the end of the stream,"
    lacks = "They end with a newline" if is_line else "They do not end with a newline"
    lacks = f"{lacks}, and" if payload.isascii() else "And"
    return (
        f"{lacks} {writer.name} has not ended its sending, by shutdown(SHUT_WR) or close(): a read "
        f"{what} goes on. (An answer that {reader.name} has only in a buffer of its own, as of "
        "stdio, is sent when it flushes that.)"
    )


def _asked_for_in_all(reader: Standing) -> int | None:
    """The bytes that a row of reads asks for, each for the rest of the one before."""
    call = reader.call
    room = None if call is None or call.name not in READS else room_of(call)
    wanted = None
    for before in reversed(reader.reads):
        asked = room_of(before)
        if room is None or asked is None or not before.moved or asked - before.moved != room:
            break
        wanted = room = asked
    return wanted


def _answers_not(moment: GivenUp) -> Cause:
    """One side waits, and the other is in no call that would answer, read or close."""
    waits, other = moment.waits, moment.other
    assert waits.call is not None
    last = other.last
    since = "" if last is None else f" since {named(last)}"
    if other.call is not None and other.call.name in ACCEPTS:
        does = f"is in {named(other.call)}, for another connection"
    elif other.is_reading and other.call is not None:
        does = f"is in {named(other.call)}"
    else:
        does = f"has made no call on the connection{since}: it sleeps, computes or waits elsewhere"
    evidence = known_ids(waits.call, last, other.call)
    unread = waits.came - other.read
    if other.last_sent_ns > waits.last_sent_ns and not unread and waits.read == other.came:
        return Cause(
            "end-never-comes",
            f"{waits.name} has read all {counted(other.came, 'byte')} that {other.name} has sent, "
            f"and waits for more in {named(waits.call)}, {moment.how}: a read to the end of the "
            f"stream goes on until {other.name} closes the connection, or ends its sending by "
            f"shutdown(SHUT_WR), and it has done neither. It {does}.",
            other.name,
            evidence,
            "recv(2); shutdown(2); RFC 9293, 3.6",
            Surprise.ELSEWHERE,
        )
    what = f" Of what {waits.name} has sent it has not read {counted(unread, 'byte')}."
    return Cause(
        "peer-does-not-answer",
        f"{waits.name} waits in {named(waits.call)} for {_since(waits.call, waits)}, {moment.how}: "
        f"{other.name} {does}.{what if unread else ''}",
        other.name,
        evidence,
        _READ_SOURCE,
        Surprise.ELSEWHERE,
    )


def _not_accepted(facts: StepFacts, moment: GivenUp) -> Cause | None:
    """The connection waits in an accept queue, and its client for an answer. Source: accept(2)."""
    client, server = moment.waits, moment.other
    place = facts.place_of(client.talk, False)
    for listener in facts.sockets(server.host, "tcp") if client.is_client else ():
        listen = facts.listen_call(listener)
        if listen is None or not takes(listener.local, place):
            continue
        assert client.call is not None
        accepts = [
            call
            for call in facts.evidence.calls.on(listener.id)
            if call.name in ACCEPTS and call.entry_ns < client.now_ns
        ]
        busy = next(
            (
                call
                for call in reversed(facts.timeline.system_calls)
                if call.program == listener.program
                and call.entry_ns < client.now_ns
                and client.is_open(call)
            ),
            None,
        )
        if accepts and client.is_open(accepts[-1]):
            return None  # then accept() would have returned
        what = f"has called accept() {counted(len(accepts), 'time')}" if accepts else ""
        where = f", and is in {named(busy)}" if busy is not None else ""
        waiting = (
            f" With it wait the {counted(client.came, 'byte')} that {client.name} has sent."
            if client.came
            else ""
        )
        return Cause(
            "not-accepted",
            f"Nobody has accepted the connection: it waits in the accept queue of "
            f"{listener.program}'s socket ({named(listen)}). {listener.program} "
            f"{what or 'has never called accept()'}{where}. connect() succeeded all the same: the "
            f"kernel makes the handshake by itself.{waiting} {client.name} waits in "
            f"{named(client.call)}, {moment.how}.",
            listener.program,
            known_ids(listen, *accepts[-1:], busy, client.call),
            "listen(2); accept(2)",
            Surprise.ELSEWHERE,
        )
    return None


def _silence(moment: GivenUp) -> Cause:
    """Without calls: nothing came, and nothing was on its way."""
    one, other = moment.waits, moment.other
    last = max((*one.segments, *other.segments), key=lambda each: each.crossing)
    silent_ns = one.now_ns - one.facts.departure_ns(last)
    return Cause(
        "both-wait",
        "one program waits for bytes, or an end, that the other does not send, or both do. "
        f"{one.host} has sent {counted(one.came, 'byte')} and "
        f"{other.host} {counted(other.came, 'byte')}, all of them came, and neither has closed: "
        f"nothing was on its way for {ms(silent_ns)}, {moment.how}.",
        str(one.talk.flow.id),
        (frame_id(last.crossing),),
        _READ_SOURCE,
        Surprise.ELSEWHERE,
        decided_by="in which calls the programs are (--trace auto)",
    )
