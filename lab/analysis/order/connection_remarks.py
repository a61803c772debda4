"""Why a connection ended as it did, or stands in another's way, beside the event that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.flows.flow import ends_of
from lab.analysis.order.connection_causes import first_arrived
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.state import State
from lab.model.address import SocketAddress
from lab.model.event import frame_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.analysis.correlate.correlation import Correlation
    from lab.analysis.correlate.evidence import Evidence
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.model.event import EventId

_FIN, _RST = int(TcpFlags.FIN), int(TcpFlags.RST)
_HELD_NS = 1_000_000
_LOOKED_AT = 100
_SHORT_BYTES = 536
"""The default of the maximum segment size (RFC 9293, 3.7.1): shorter is short in any case."""
_LONG_NS = 100_000_000
"""A program that closes within this time after the end of the stream has not forgotten to."""


def closed_late(evidence: Evidence, correlation: Correlation) -> Iterator[tuple[EventId, str]]:
    """A side that stayed in CLOSE-WAIT: its program did not close what its peer had closed."""
    by_endpoint = {each.endpoint: each for each in correlation.closed}
    for conversation, is_client, endpoint in evidence.tcp_ends():
        fin = first_arrived(evidence, conversation, not is_client, _FIN)
        came_ns = evidence.arrival_ns(fin)
        closed = by_endpoint.get(endpoint.id)
        if fin is None or came_ns is None or closed is None:
            continue
        left_ns = evidence.departure_ns(closed.segment)
        if left_ns is None or left_ns - came_ns < _LONG_NS:
            continue
        if closed.call is None:
            how = "and close() was never called: the kernel closed the socket for it"
        else:
            how = f"until {closed.call} ({evidence.calls.by_id[closed.call].name})"
        waited = f"{(left_ns - came_ns) / 1e6:.0f} ms"
        yield fin, f"{endpoint.program} stays in CLOSE-WAIT from here on for {waited}, {how}."


def held_by_nagle(evidence: Evidence, correlation: Correlation) -> Iterator[tuple[EventId, str]]:
    """A short send that left only with the ACK of all before it. Source: RFC 9293, 3.7.4."""
    for channel in correlation.channels:
        talk = None if channel.flow is None else evidence.conversations.get(channel.flow)
        for part in channel.parts[:_LOOKED_AT] if talk is not None else ():
            call = evidence.calls.by_id[part.call]
            left_ns = evidence.departure_ns(next(iter(part.segments), None))
            if call.exit_ns is None or left_ns is None or left_ns - call.exit_ns < _HELD_NS:
                continue
            assert talk is not None
            held = _released_by(evidence, talk, part.segments[0], left_ns)
            if held is None:
                continue
            ack, delay_ns = held
            late = f", which its sender delayed by {delay_ns / 1e6:.0f} ms (RFC 9293, 3.8.6.3)"
            yield (
                call.id,
                f"Its bytes waited {(left_ns - call.exit_ns) / 1e6:.0f} ms for {ack}"
                f"{late if delay_ns >= _HELD_NS else ''}. By Nagle's algorithm a short segment "
                "leaves only when all before it is acknowledged, unless TCP_NODELAY is set "
                "(RFC 9293, 3.7.4).",
            )


def _released_by(
    evidence: Evidence, talk: TcpConversation, segment: EventId, left_ns: int
) -> tuple[EventId, int] | None:
    """The ACK that let a short segment leave, and how long after the bytes before it that came.

    None where anything else may have held it: the peer's window, or more bytes on their way than
    any congestion window forbids.
    """
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
    before = [each for each in earlier if each.from_client == held.from_client and each.length]
    if not is_short or on_their_way <= 0 or not before:
        return None
    arrived_ns = evidence.arrival_ns(frame_id(before[-1].crossing))
    return ack, 0 if arrived_ns is None else sent_ns - arrived_ns


def in_the_way(evidence: Evidence, correlation: Correlation) -> Iterator[tuple[EventId, str]]:
    """A bind(2) that failed because of a connection that was still there."""
    for call in evidence.system_calls:
        if call.name != "bind" or call.error != "EADDRINUSE":
            continue
        argument = call.argument("addr")
        wanted = None if argument is None else argument.address
        if not isinstance(wanted, SocketAddress):
            continue
        for conversation in evidence.conversations.values():
            state = _state_at(conversation, call.host, wanted.port, call.entry_ns)
            if state is not None and state not in (State.CLOSED, State.LISTEN):
                yield (
                    call.id,
                    f"{conversation.flow.id} is in its way: this side of that connection is in "
                    f"{state.value} and has port {wanted.port}. With SO_REUSEADDR on the sockets "
                    "of both it would not be (socket(7)).",
                )
                break


def _state_at(conversation: TcpConversation, host: str, port: int, time_ns: int) -> State | None:
    """The state of the side with that port on that host, if the last segment was before a time."""
    crossings = conversation.flow.crossings
    ends = ends_of(crossings[0])
    if ends is None or crossings[-1].time_ns > time_ns:
        return None
    first = conversation.segments[0].from_client
    hosts = (crossings[0].sender, crossings[0].receiver)
    for place, is_client in ((0, first), (1, not first)):
        if hosts[place] == host and ends[place].port == port:
            return conversation.client_state if is_client else conversation.server_state
    return None
