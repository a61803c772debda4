"""How the kernel says what a TCP socket is doing: its states by name, and struct tcp_info.

Source: include/net/tcp_states.h; include/uapi/linux/tcp.h; tcp(7), TCP_INFO.
"""

from __future__ import annotations

import struct

from lab.records import TcpInfo

STATES = (
    "",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
    "NEW_SYN_RECV",
    "BOUND_INACTIVE",
)
"""Without TCP_. A UDP socket that has no peer is in CLOSE."""
TCP_TIME_WAIT, TCP_CLOSE, TCP_LISTEN = map(STATES.index, ("TIME_WAIT", "CLOSE", "LISTEN"))

INFO_BYTES = 136
"""As many of struct tcp_info are decoded; every kernel since Linux 4.1 has them."""
_INFO = struct.Struct("=8xI4xI4xI4xI24xI4x4I4xI8xI16xQQ")
_QUEUE = struct.Struct("=24xII")
_INFINITE = 0x7FFFFFFF  # TCP_INFINITE_SSTHRESH


def parse_tcp_info(data: bytes) -> TcpInfo:
    """The first INFO_BYTES of a struct tcp_info, of a socket that does not listen.

    Raises struct.error where there are fewer.
    """
    (
        rto_us, mss, unacked, lost, pmtu, rtt_us, rttvar_us, ssthresh, cwnd, reordering,
        retransmissions, acked, received,
    ) = _INFO.unpack_from(data)  # fmt: skip
    return TcpInfo(
        rtt_us=rtt_us,
        rttvar_us=rttvar_us,
        rto_us=rto_us,
        cwnd=cwnd,
        ssthresh=None if ssthresh >= _INFINITE else ssthresh,
        retransmissions=retransmissions,
        lost=lost,
        unacked=unacked,
        reordering=reordering,
        mss_bytes=mss,
        pmtu_bytes=pmtu,
        bytes_acked=acked,
        bytes_received=received,
    )


def parse_accept_queue(data: bytes) -> tuple[int, int]:
    """Of a listening socket's struct tcp_info: how many connections wait, and the limit.

    Raises struct.error.
    """
    waiting, limit = _QUEUE.unpack_from(data)
    return waiting, limit
