"""struct tcp_info, decoded."""

from __future__ import annotations

import socket
import struct

import pytest

from lab.kernel.system.tcp import INFO_BYTES, parse_accept_queue, parse_tcp_info
from lab.records import TcpInfo

OFFSETS = {
    "rto_us": 8, "mss_bytes": 16, "unacked": 24, "lost": 32, "pmtu_bytes": 60, "rtt_us": 68,
    "rttvar_us": 72, "ssthresh": 76, "cwnd": 80, "reordering": 88, "retransmissions": 100,
    "bytes_acked": 120, "bytes_received": 128,
}  # fmt: skip
"""Where include/uapi/linux/tcp.h has them."""


def info(**values: int) -> bytes:
    data = bytearray(INFO_BYTES)
    for name, value in values.items():
        struct.pack_into("=Q" if name.startswith("bytes") else "=I", data, OFFSETS[name], value)
    return bytes(data)


def test_each_field_is_where_linux_has_it() -> None:
    values = {name: number for number, name in enumerate(OFFSETS, 1)}
    assert parse_tcp_info(info(**values)) == TcpInfo(**values)


def test_a_threshold_that_was_never_set_is_none() -> None:
    assert parse_tcp_info(info(ssthresh=0x7FFFFFFF)).ssthresh is None


def test_what_is_cut_short_is_no_info() -> None:
    for length in range(INFO_BYTES):
        with pytest.raises(struct.error):
            pytest.fail(f"of {length} bytes: {parse_tcp_info(bytes(length))}")


@pytest.mark.kernel
def test_the_kernel_says_what_a_socket_does() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=3) as listener:
        options = socket.IPPROTO_TCP, socket.TCP_INFO, 256
        assert parse_accept_queue(listener.getsockopt(*options)) == (0, 3)
        with socket.create_connection(listener.getsockname()) as client:
            accepted, _ = listener.accept()
            with accepted:
                accepted.sendall(b"hello")
                assert client.recv(5, socket.MSG_WAITALL) == b"hello"
                found = parse_tcp_info(client.getsockopt(*options))
    assert (found.bytes_received, found.bytes_acked) == (5, 1)  # its SYN is acknowledged
    assert found.rtt_us > 0
    assert found.cwnd > 0
