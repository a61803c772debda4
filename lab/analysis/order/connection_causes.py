"""What the calls, segments and states of a TCP connection are the causes of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.sockets.socket_calls import ends_stream
from lab.analysis.tcp.segment import UNTAKEN
from lab.model.event import frame_id
from lab.records import Obtained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.correlation import Correlation
    from lab.analysis.correlate.evidence import Evidence
    from lab.analysis.order.places import EventPlaces, PossibleEdge
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.sockets.flow_ends import FlowSide
    from lab.analysis.tcp.conversation import Handshake, TcpConversation
    from lab.model.event import EventId
    from lab.records import SocketState

_FIN, _SYN, _RST = int(TcpFlags.FIN), int(TcpFlags.SYN), int(TcpFlags.RST)

_AF_UNSPEC = 0
_FAST_OPEN = 34
"""The option's kind (RFC 7413, 4.1.1)."""


def connection_edges(
    places: EventPlaces, evidence: Evidence, correlation: Correlation
) -> Iterator[PossibleEdge]:
    """Openings and ends: connect(2), accept(2), close(2), and reads that met the end."""
    for call, flow in correlation.connects:
        endpoint = evidence.endpoints[evidence.calls.by_id[call].socket]
        conversation = evidence.conversations[flow]
        is_client = evidence.sides.get((flow, True)) is endpoint
        syn = first_segment(conversation, is_client, _SYN)
        yield places.entries[call], places.departure_of(syn)
        if is_client:
            yield from _connect_edges(places, evidence, endpoint, conversation)
    for accepted in correlation.accepted:
        if opens_in_order(evidence.conversations[accepted.flow]):
            yield places.arrivals.get(accepted.ack), places.exits.get(accepted.call)
    for closed in correlation.closed:
        yield places.entry_of(closed.call), places.departures.get(closed.segment)
    for conversation, is_client, endpoint in evidence.tcp_ends():
        yield from _end_edges(places, evidence, endpoint, conversation, is_client)


def _connect_edges(
    places: EventPlaces, evidence: Evidence, endpoint: Endpoint, conversation: TcpConversation
) -> Iterator[PossibleEdge]:
    """A connect(2) that succeeded returned after the SYN-ACK; EINPROGRESS is no success."""
    handshake = opens_in_order(conversation)
    for call in evidence.calls.on(endpoint.id) if handshake else ():
        succeeded = call.name == "connect" and call.result == 0
        if handshake and succeeded and not _disconnects(call):
            yield places.arrivals.get(frame_id(handshake.syn_ack)), places.exits.get(call.id)


def _disconnects(call: SystemCall) -> bool:
    """Whether connect(2) was called with AF_UNSPEC."""
    address = call.argument("addr")
    return address is not None and address.family == _AF_UNSPEC


def opens_in_order(conversation: TcpConversation) -> Handshake | None:
    """The handshake, where calls had to wait for it.

    With TCP Fast Open (RFC 7413) they need not, and in a simultaneous open there is another.
    """
    handshake = conversation.handshake
    if handshake is None or handshake.simultaneous:
        return None
    for segment, crossing in zip(conversation.segments, conversation.flow.crossings, strict=True):
        if segment.crossing == handshake.syn:
            tcp = crossing.packet.tcp
            assert tcp is not None, "a TCP flow has TCP segments only"
            cookies = [each.value for each in tcp.options if each.kind == _FAST_OPEN]
            return None if segment.length or any(cookies) else handshake
    return None


def _end_edges(
    places: EventPlaces,
    evidence: Evidence,
    endpoint: Endpoint,
    conversation: TcpConversation,
    is_client: bool,
) -> Iterator[PossibleEdge]:
    """Reads that returned 0, after the peer's FIN: not after a RST or an own shutdown(2)."""
    calls = evidence.calls
    ended = [call for call in calls.reads(endpoint.id) if ends_stream(call)]
    fin = first_arrived(evidence, conversation, not is_client, _FIN) if ended else None
    rst = first_arrived(evidence, conversation, not is_client, _RST) if ended else None
    rst_ns = evidence.arrival_ns(rst)
    for call in ended:
        exit_ns = call.exit_ns or 0
        was_reset = rst_ns is not None and rst_ns < exit_ns
        if fin and not was_reset and not calls.stopped_reading(endpoint.id, exit_ns):
            yield places.arrivals.get(fin), places.exits.get(call.id)


def first_segment(conversation: TcpConversation, from_client: bool, flag: int) -> EventId | None:
    """The first segment with a flag that a side sent; None where there is none."""
    for segment in conversation.segments:
        if segment.from_client == from_client and int(segment.flags) & flag:
            return frame_id(segment.crossing)
    return None


def first_arrived(
    evidence: Evidence, conversation: TcpConversation, from_client: bool, flag: int
) -> EventId | None:
    """The segment that was the first to bring a flag to a side's peer; None where none did."""
    came = [
        (evidence.arrival_ns(frame_id(segment.crossing)), segment.crossing)
        for segment in conversation.segments
        if segment.from_client == from_client
        and int(segment.flags) & flag
        and not segment.notes & UNTAKEN
    ]
    return frame_id(min(came)[1]) if came else None


def state_edges(
    places: EventPlaces, evidence: Evidence, correlation: Correlation
) -> Iterator[PossibleEdge]:
    """Changes of state that were measured, with what they follow from and what follows."""
    closed = {closed.endpoint: (closed.call, closed.segment) for closed in correlation.closed}
    connects = dict(_connects_by_side(evidence, correlation))
    for id, state, side, _ in evidence.states:
        place = places.states[id]
        if side is None or state.obtained is not Obtained.MEASURED:
            continue
        if state.old == state.new:
            continue  # close() after shutdown() sets FIN_WAIT1 again, and sends nothing
        if state.new == "SYN_SENT":
            yield places.entry_of(connects.get(side)), place
            syn = first_segment(evidence.conversations[side[0]], side[1], _SYN)
            yield place, places.departure_of(syn)
        elif state.new in ("FIN_WAIT1", "LAST_ACK"):
            endpoint = evidence.sides.get(side)
            call, segment = closed.get(endpoint.id if endpoint else "", (None, None))
            yield places.entry_of(call), place
            yield place, places.departure_of(segment)
        else:
            yield places.arrival_of(_cause_of(evidence, state, side)), place


def _connects_by_side(
    evidence: Evidence, correlation: Correlation
) -> Iterator[tuple[FlowSide, EventId]]:
    """The calls that opened actively: both sides of a simultaneous open have one."""
    for call, flow in correlation.connects:
        endpoint = evidence.endpoints[evidence.calls.by_id[call].socket]
        for is_client in (True, False):
            if evidence.sides.get((flow, is_client)) is endpoint:
                yield (flow, is_client), call


def _cause_of(evidence: Evidence, state: SocketState, side: FlowSide) -> EventId | None:
    """The frame whose arrival made a socket's state what it is; None where that is not certain.

    Linux makes the server's socket, with its SYN_RECV, when the handshake's last segment is
    there: until then it has no more than a request.
    """
    flow, is_client = side
    conversation = evidence.conversations[flow]
    if state.new == "CLOSE_WAIT":
        return first_arrived(evidence, conversation, not is_client, _FIN)
    handshake = opens_in_order(conversation)
    if handshake is None or state.new not in ("SYN_RECV", "ESTABLISHED"):
        return None
    if is_client:
        return frame_id(handshake.syn_ack) if state.old == "SYN_SENT" else None
    return frame_id(handshake.ack) if state.old in ("LISTEN", "SYN_RECV") else None
