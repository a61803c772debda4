"""What may surprise about a step, in a sentence beside the event that shows it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from lab.analysis.calls.address import socket_address
from lab.analysis.order.connection_causes import first_arrived, opens_in_order
from lab.analysis.packets.packet import TcpFlags
from lab.analysis.sockets.socket_calls import ends_stream
from lab.analysis.sockets.time_wait import time_wait_of
from lab.analysis.tcp.segment import UNTAKEN
from lab.analysis.tcp.state import State
from lab.model.event import frame_id
from lab.records import Obtained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.analysis.correlate.correlation import Channel, Correlation, SentPart
    from lab.analysis.correlate.evidence import Evidence
    from lab.analysis.flows.flow import FlowId
    from lab.analysis.sockets.flow_ends import FlowSide
    from lab.model.event import EventId
    from lab.records import SocketState

Remark = tuple["EventId", str]
"""An event, and what there is to say of it."""

_FIN, _RST = int(TcpFlags.FIN), int(TcpFlags.RST)
_WORTH_A_REMARK_NS = 1_000_000
"""A shorter wait is not seen as one."""

_LOOKED_AT = 100
"""So many sends show what a program's sends do, however long a run is."""


def find_remarks(evidence: Evidence, correlation: Correlation) -> tuple[Remark, ...]:
    """At most one of each kind, of the first event that shows it."""
    found = (next(kind(evidence, correlation), None) for kind in _KINDS)
    return tuple(remark for remark in found if remark is not None)


def _answered_by_kernel(evidence: Evidence, correlation: Correlation) -> Iterator[Remark]:
    """The SYN-ACK was there before accept()."""
    for accepted in correlation.accepted:
        handshake = opens_in_order(evidence.conversations[accepted.flow])
        syn_ack = frame_id(handshake.syn_ack) if handshake else None
        left_ns = evidence.departure_ns(syn_ack)
        entry_ns = evidence.calls.by_id[accepted.call].entry_ns
        if syn_ack is not None and left_ns is not None and left_ns < entry_ns:
            yield (
                syn_ack,
                f"The server's kernel answers the SYN by itself: {accepted.call} (accept) "
                f"was called {_ms(entry_ns - left_ns)} later.",
            )


def _accepted_late(evidence: Evidence, correlation: Correlation) -> Iterator[Remark]:
    """The handshake was over before accept() returned."""
    for accepted in correlation.accepted:
        if accepted.was_waiting:
            yield (
                accepted.call,
                "The connection was complete before accept() was called: accept() picks it up "
                "and has no part in the handshake.",
            )
        else:
            yield (
                accepted.call,
                f"accept() returns when the handshake is over: {_ms(accepted.waited_ns)} after "
                f"its last ACK ({accepted.ack}) arrived.",
            )


def _returned_early(evidence: Evidence, correlation: Correlation) -> Iterator[Remark]:
    """Both ways to show it say nearly the same: the second only where the first is not there."""
    yield from _returned_before_departure(evidence, correlation)
    yield from _returned_before_acknowledgement(evidence, correlation)


def _returned_before_departure(evidence: Evidence, correlation: Correlation) -> Iterator[Remark]:
    for _, _, part in _tcp_parts(correlation):
        call, segment = evidence.calls.by_id[part.call], part.segments[0]
        left_ns = evidence.departure_ns(segment)
        if call.exit_ns is not None and left_ns is not None and call.exit_ns < left_ns:
            yield (
                call.id,
                f"{call.title}() returned {_ms(left_ns - call.exit_ns)} before its first byte left "
                f"({segment}): it has only put the bytes into the send buffer.",
            )


def _returned_before_acknowledgement(
    evidence: Evidence, correlation: Correlation
) -> Iterator[Remark]:
    for flow, channel, part in islice(_tcp_parts(correlation), _LOOKED_AT):
        call = evidence.calls.by_id[part.call]
        ack = _acknowledgement(evidence, flow, channel, part.end)
        arrived_ns = evidence.arrival_ns(ack)
        if call.exit_ns is not None and arrived_ns is not None and call.exit_ns < arrived_ns:
            yield (
                call.id,
                f"{call.title}() returned {_ms(arrived_ns - call.exit_ns)} before the peer's ACK "
                f"of its bytes ({ack}) arrived: they are in the send buffer then, which does "
                f"not mean that they were received.",
            )


def _tcp_parts(correlation: Correlation) -> Iterator[tuple[FlowId, Channel, SentPart]]:
    for channel in correlation.channels:
        if channel.flow is not None and channel.flow.protocol == "tcp":
            for part in channel.parts:
                if part.certain and part.segments:
                    yield channel.flow, channel, part


def _acknowledgement(
    evidence: Evidence, flow: FlowId, channel: Channel, end: int
) -> EventId | None:
    """The segment that first acknowledged all of a channel's bytes before `end`."""
    client = evidence.sides.get((flow, True))
    from_client = client is None or client.id != channel.sender
    for segment in evidence.conversations[flow].segments:
        # The byte at place 0 has sequence number 1.
        # A RST's number acknowledges nothing: it answers, and nobody has the bytes.
        is_reset = int(segment.flags) & _RST
        is_ack = segment.ack is not None and segment.ack > end and not is_reset
        if is_ack and segment.from_client == from_client and not segment.notes & UNTAKEN:
            return frame_id(segment.crossing)
    return None


def _late_state(evidence: Evidence, correlation: Correlation) -> Iterator[Remark]:
    for id, state, _, _ in evidence.states:
        is_passive = state.old != "SYN_SENT"
        if state.new == "SYN_RECV" and state.obtained is Obtained.MEASURED and is_passive:
            yield (
                id,
                "Linux reports SYN_RECV when the handshake's last ACK is there, not at the SYN "
                "as RFC 9293 has it: until then it keeps a request, not a socket.",
            )


def _simultaneous_state(evidence: Evidence, correlation: Correlation) -> Iterator[Remark]:
    for id, state, _, _ in evidence.states:
        if (state.old, state.new) != ("SYN_SENT", "SYN_RECV"):
            continue
        local, remote = (
            (state.local_address, state.local_port),
            (state.remote_address, state.remote_port),
        )
        whose = "its own SYN: it has connected to itself" if local == remote else "the peer's SYN"
        yield (
            id,
            f"What came is no answer to the SYN but {whose}. That is a simultaneous open "
            "(RFC 9293, 3.5).",
        )


def _missing_state(evidence: Evidence, correlation: Correlation) -> Iterator[Remark]:
    for id, state, side, _ in evidence.states:
        if side is None or state.new != "CLOSE" or state.obtained is not Obtained.MEASURED:
            continue
        conversation = evidence.conversations[side[0]]
        inferred = conversation.client_state if side[1] else conversation.server_state
        if inferred is State.TIME_WAIT and _had_ended(evidence, side, state.time_ns):
            yield (
                id,
                "Linux reports CLOSE and means TIME-WAIT: a small record without a socket waits in "
                f"its place.{_seen_waiting(evidence, state)}",
            )


def _seen_waiting(evidence: Evidence, state: SocketState) -> str:
    """What the kernel said of that record, where it was asked in time."""
    local = socket_address(state.local_address, state.local_port)
    remote = socket_address(state.remote_address, state.remote_port)
    if local is None or remote is None:
        return ""
    hosts = {each.host for each in evidence.held if each.state == "TIME_WAIT"}
    found = (time_wait_of(evidence.held, host, local, remote) for host in sorted(hosts))
    wait = next(filter(None, found), None)
    if wait is None:
        return ""
    return (
        f" {_ms(wait.seen_ns - state.time_ns)} later sock_diag(7) showed it, with "
        f"{(wait.until_ns - wait.seen_ns) / 1e9:.2f} s of 60 to go."
    )


def _had_ended(evidence: Evidence, side: FlowSide, before_ns: int) -> bool:
    """Whether the peer's FIN was there: without it CLOSE stands for a FIN-WAIT-2 of no socket.

    A socket that is closed while it waits for the FIN is replaced by the same small record.
    """
    flow, is_client = side
    fin = first_arrived(evidence, evidence.conversations[flow], not is_client, _FIN)
    arrived_ns = evidence.arrival_ns(fin)
    return arrived_ns is not None and arrived_ns < before_ns


def _failed_after_reset(evidence: Evidence, correlation: Correlation) -> Iterator[Remark]:
    """The first call that failed because of a RST."""
    for conversation, is_client, endpoint in evidence.tcp_ends():
        if not conversation.aborts:
            continue
        rst = first_arrived(evidence, conversation, not is_client, _RST)
        rst_ns = evidence.arrival_ns(rst)
        for call in evidence.calls.on(endpoint.id):
            failed = call.error in ("EPIPE", "ECONNRESET") and call.exit_ns is not None
            if failed and rst_ns is not None and rst_ns < (call.exit_ns or 0):
                yield (
                    call.id,
                    f"The RST ({rst}) had arrived {_ms((call.exit_ns or 0) - rst_ns)} before: "
                    f"this is the first call that fails because of it.",
                )
                break


def _ended(evidence: Evidence, correlation: Correlation) -> Iterator[Remark]:
    for conversation, is_client, endpoint in evidence.tcp_ends():
        fin = first_arrived(evidence, conversation, not is_client, _FIN)
        fin_ns = evidence.arrival_ns(fin)
        for call in evidence.calls.reads(endpoint.id) if fin_ns is not None else ():
            if ends_stream(call) and fin_ns is not None and fin_ns < (call.exit_ns or 0):
                yield (
                    call.id,
                    f"0 is the end of the stream: the peer's FIN ({fin}) had arrived, and all "
                    f"before it was read.",
                )


def _blocked(evidence: Evidence, correlation: Correlation) -> Iterator[Remark]:
    """The read that waited longest for what it returned."""
    longest: tuple[int, Remark] | None = None
    for channel in correlation.channels:
        for part in channel.read_parts:
            call = evidence.calls.by_id[part.call]
            arrived_ns = evidence.arrival_ns(part.segment)
            waited_ns = 0 if arrived_ns is None else arrived_ns - call.entry_ns
            if waited_ns >= _WORTH_A_REMARK_NS and (longest is None or waited_ns > longest[0]):
                text = f"{call.title}() blocked for {_ms(waited_ns)} until {part.segment} arrived."
                longest = waited_ns, (call.id, text)
    if longest is not None:
        yield longest[1]


def _ms(duration_ns: int) -> str:
    return f"{duration_ns / 1e6:.3f} ms"


_KINDS: tuple[Callable[[Evidence, Correlation], Iterator[Remark]], ...] = (
    _answered_by_kernel,
    _accepted_late,
    _returned_early,
    _late_state,
    _simultaneous_state,
    _missing_state,
    _failed_after_reset,
    _ended,
    _blocked,
)
