"""Calls and packets matched: bytes, connections opened and closed, drops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.correlate.correlation import Accepted, Closed, Correlation, Refusal
from lab.analysis.correlate.hidden_use import with_hidden_use
from lab.analysis.correlate.kernel_channels import kernel_channels
from lab.analysis.correlate.tcp_channels import tcp_channels
from lab.analysis.correlate.udp_channels import udp_channels
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.sockets.icmp_errors import errno_of
from lab.analysis.sockets.socket_calls import opens_fast
from lab.analysis.tcp.segment import DISCARDED, Note
from lab.model.event import frame_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.evidence import Evidence
    from lab.analysis.flows.flow import Flow, FlowId
    from lab.analysis.sockets.endpoint import Endpoint
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.model.event import EventId

_ACCEPTS = ("accept", "accept4")
_FIN, _RST = int(TcpFlags.FIN), int(TcpFlags.RST)
_OPENING = ("", "EINPROGRESS", "EINTR", "ECONNREFUSED", "ETIMEDOUT")
"""What connect(2) returns after it has sent a SYN."""


def correlate(evidence: Evidence) -> Correlation:
    """The correlation of a step's calls and packets, without remarks.

    Only what follows from what was seen: what could belong to several is left out.
    """
    endpoints = tuple(evidence.endpoints.values())
    channels = (
        *tcp_channels(evidence.conversations.values(), evidence.sides, evidence.calls),
        *udp_channels(evidence.flows, endpoints, evidence.calls),
        *kernel_channels(endpoints, evidence.calls),
    )
    return Correlation(
        channels=with_hidden_use(channels, evidence.endpoints, evidence.system_calls),
        accepted=tuple(_accepted(evidence)),
        closed=tuple(_closed(evidence)),
        connects=tuple(_connects(evidence)),
        refusals=tuple(_refusals(evidence)),
    )


def _accepted(evidence: Evidence) -> Iterator[Accepted]:
    for call in evidence.system_calls:
        if call.name not in _ACCEPTS or call.error or not call.made:
            continue
        endpoint = evidence.endpoints.get(call.made[0])
        flow = endpoint.flow if endpoint is not None else None
        conversation = evidence.conversations.get(flow) if flow is not None else None
        if conversation is None or conversation.handshake is None or call.exit_ns is None:
            continue
        ack = frame_id(conversation.handshake.ack)
        arrived_ns = evidence.arrival_ns(ack)
        if arrived_ns is not None:
            waited_ns, was_waiting = call.exit_ns - arrived_ns, arrived_ns < call.entry_ns
            yield Accepted(call.id, conversation.flow.id, ack, waited_ns, was_waiting)


def _connects(evidence: Evidence) -> Iterator[tuple[EventId, FlowId]]:
    for conversation, is_client, endpoint in evidence.tcp_ends():
        if not endpoint.listener and (is_client or _is_simultaneous(conversation)):
            opening = (
                call
                for call in evidence.calls.on(endpoint.id)
                if (call.name == "connect" and call.error in _OPENING) or opens_fast(call)
            )
            call = next(opening, None)
            if call is not None:
                yield call.id, conversation.flow.id


def _is_simultaneous(conversation: TcpConversation) -> bool:
    return conversation.handshake is not None and conversation.handshake.simultaneous


def _closed(evidence: Evidence) -> Iterator[Closed]:
    for conversation, is_client, endpoint in evidence.tcp_ends():
        segment, is_reset = _first_closing(conversation, is_client)
        left_ns = evidence.departure_ns(segment)
        if segment is None or left_ns is None:
            continue
        call = evidence.calls.ends_sending(endpoint.id)
        if call is None or _another_ended(evidence, call, left_ns):
            if not is_reset or _has_ended(evidence, endpoint, left_ns):
                yield Closed(None, endpoint.id, segment)
        elif not is_reset or (call.name == "close" and call.entry_ns < left_ns):
            yield Closed(call.id, endpoint.id, segment)


def _first_closing(conversation: TcpConversation, from_client: bool) -> tuple[EventId | None, bool]:
    """The first FIN or RST that a side sent, and whether it is a RST; None if there is none."""
    for segment in conversation.segments:
        flags = int(segment.flags)
        if segment.from_client == from_client and flags & (_FIN | _RST):
            if segment.notes & (DISCARDED | {Note.DUPLICATED, Note.CHANGED}):
                continue
            return frame_id(segment.crossing), not flags & _FIN
    return None, False


def _another_ended(evidence: Evidence, call: SystemCall, left_ns: int) -> bool:
    """Whether another process ended between the call and the segment.

    It had the socket as well, then: what a fork left open is closed by the last to have it.
    """
    returned_ns = call.exit_ns if call.exit_ns is not None else left_ns
    if call.name != "close" or returned_ns >= left_ns:
        return False
    ended = evidence.ended(call.program, returned_ns, left_ns)
    return any(pid != call.pid for pid in ended)


def _has_ended(evidence: Evidence, endpoint: Endpoint, before_ns: int) -> bool:
    return bool(evidence.ended(endpoint.program, 0, before_ns))


def _refusals(evidence: Evidence) -> Iterator[Refusal]:
    """Each call that failed with the error of an ICMP message that had come to its socket.

    A socket keeps the last error that came, and the next call on it fails with that (udp(7),
    ip(7)): so a call is joined with the last message before its return.
    """
    flows = {flow.id: flow for flow in evidence.flows if flow.errors}
    for (id, _), endpoint in evidence.sides.items():
        if id in flows:
            yield from _refusals_of(evidence, flows[id], endpoint)


def _refusals_of(evidence: Evidence, flow: Flow, endpoint: Endpoint) -> Iterator[Refusal]:
    came = [
        (crossing.received_ns, crossing.id, errno_of(crossing.packet.icmp))
        for crossing in flow.errors
        if crossing.received_ns is not None
        and crossing.receiver == endpoint.host
        and crossing.packet.icmp is not None
    ]
    taken_ns = -1
    calls = [c for c in evidence.calls.on(endpoint.id) if c.error and c.exit_ns is not None]
    for call in sorted(calls, key=lambda call: call.exit_ns or 0):
        exit_ns = call.exit_ns or 0
        fitting = [each for each in came if taken_ns < each[0] < exit_ns and each[2] == call.error]
        if fitting:
            taken_ns, frame, _ = max(fitting)
            yield Refusal(call.id, frame)
