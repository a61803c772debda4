"""What a TCP socket had when it was closed, of what BPF read and what state it left."""

from __future__ import annotations

from lab.kernel.trace.networks.network_records import ClosedOfRun
from lab.records import HeldSocket, SocketState, TcpInfo

_INFINITE = 0x7FFFFFFF  # TCP_INFINITE_SSTHRESH
_NUMBERS = 1 << 32  # of bytes: they begin again

_PEER_HAS_ENDED = frozenset({"CLOSE_WAIT", "LAST_ACK", "CLOSING"})
"""Its FIN is one of the numbers that have been received."""
_IS_READ = frozenset({"ESTABLISHED", *_PEER_HAS_ENDED})
"""In the others a FIN may have come or not."""


def closing_of(closed: ClosedOfRun, state: SocketState, host: str) -> HeldSocket:
    """The socket that went from a state to CLOSE, on a host."""
    is_listening = state.old == "LISTEN"
    if is_listening:
        receive, send = closed.waiting, closed.limit
    else:
        received = (closed.received - closed.read) % _NUMBERS
        received = 0 if received >= _NUMBERS // 2 else received
        receive = max(received - (state.old in _PEER_HAS_ENDED), 0)
        send = (closed.written - closed.acknowledged) % _NUMBERS
    return HeldSocket(
        time_ns=state.time_ns,
        moment="close",
        host=host,
        protocol="tcp",
        state=state.old,
        local_address=state.local_address,
        local_port=state.local_port,
        remote_address=state.remote_address,
        remote_port=state.remote_port,
        socket=state.socket,
        receive_queue=receive if is_listening or state.old in _IS_READ else None,
        send_queue=send,
        info=None if is_listening else _info(closed),
        step=state.step,
    )


def _info(closed: ClosedOfRun) -> TcpInfo:
    return TcpInfo(
        rtt_us=closed.rtt >> 3,
        rttvar_us=closed.deviation >> 2,
        rto_us=None,
        cwnd=closed.cwnd,
        ssthresh=None if closed.ssthresh >= _INFINITE else closed.ssthresh,
        retransmissions=closed.retransmissions,
        lost=closed.lost,
        unacked=closed.unacked,
        reordering=closed.reordering,
        mss_bytes=closed.mss_bytes,
        pmtu_bytes=closed.pmtu_bytes,
        bytes_acked=closed.bytes_acked,
        bytes_received=closed.bytes_received,
    )
