"""Sockets by sock_diag(7): messages as they are, and real sockets."""

from __future__ import annotations

import socket
import struct
from ipaddress import ip_address

import inside_held
import pytest

from lab.kernel.network.inet_diag import INET_DIAG_INFO, INET_DIAG_SKMEMINFO, parse_inet_socket
from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.system.tcp import INFO_BYTES, STATES, TCP_LISTEN, TCP_TIME_WAIT

TCP = socket.IPPROTO_TCP
ESTABLISHED = STATES.index("ESTABLISHED")
MAPPED = bytes(10) + b"\xff\xff"


def attribute(kind: int, data: bytes) -> bytes:
    padded = data + bytes(-len(data) % 4)
    return struct.pack("=HH", 4 + len(data), kind) + padded


def message(
    state: int = ESTABLISHED,
    local: str = "192.0.2.1",
    remote: str = "192.0.2.2",
    *,
    timer: int = 0,
    family: int = socket.AF_INET,
    attributes: bytes = b"",
) -> bytes:
    """A struct inet_diag_msg of a socket 1111 with its peer at 2222."""
    near, far = (ip_address(each).packed.ljust(16, b"\0") for each in (local, remote))
    ports = struct.pack("!HH", 1111, 2222)
    return (
        bytes([family, state, timer, 0])
        + ports
        + near
        + far
        + struct.pack("=I8xIIIII", 7, 59_000, 3, 2, 1000, 4026)
        + attributes
    )


def test_a_socket_is_what_its_message_says() -> None:
    found = parse_inet_socket(message(), TCP)
    assert (found.local, found.local_port) == ("192.0.2.1", 1111)
    assert (found.remote, found.remote_port) == ("192.0.2.2", 2222)
    assert (found.receive_queue, found.send_queue, found.inode) == (3, 2, 4026)
    assert (found.receive_buffer, found.drops, found.info) == (None, 0, None)


def test_a_timer_counts_where_one_runs() -> None:
    assert parse_inet_socket(message(TCP_TIME_WAIT, timer=3), TCP).expires_ms == 59_000
    assert parse_inet_socket(message(TCP_TIME_WAIT), TCP).expires_ms == 0


@pytest.mark.parametrize(
    ("address", "said"), [("2001:db8::1", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1")]
)
def test_a_mapped_address_is_the_ipv4_address(address: str, said: str) -> None:
    found = parse_inet_socket(message(local=address, remote="::", family=socket.AF_INET6), TCP)
    assert (found.local, found.remote) == (said, "::")


def test_memory_and_tcp_info_are_in_attributes() -> None:
    info, memory = bytes(INFO_BYTES), struct.pack("=9I", *range(9))
    said = attribute(99, b"x") + attribute(INET_DIAG_SKMEMINFO, memory)
    said += attribute(INET_DIAG_INFO, info)
    found = parse_inet_socket(message(attributes=said), TCP)
    assert (found.receive_buffer, found.drops) == (1, 8)
    assert found.info is not None
    assert parse_inet_socket(message(TCP_LISTEN, attributes=said), TCP).info is None


def test_an_older_kernels_shorter_info_is_none() -> None:
    short = attribute(INET_DIAG_INFO, bytes(INFO_BYTES - 1))
    assert parse_inet_socket(message(attributes=short), TCP).info is None


def test_a_message_cut_short_is_none() -> None:
    for length in range(72):
        with pytest.raises(struct.error):
            pytest.fail(f"of {length} bytes: {parse_inet_socket(message()[:length], TCP)}")


@pytest.mark.parametrize("junk", [b"\0", b"\0\0\0\0", b"\3\0\1\0", b"\xff\xff\2\0"])
def test_attributes_that_are_none_end_the_message(junk: bytes) -> None:
    assert parse_inet_socket(message(attributes=junk), TCP).info is None


@pytest.mark.kernel
def test_the_kernel_tells_of_queues_and_of_a_closed_connection(sandbox: Sandbox) -> None:
    found = sandbox.call(inside_held.queues_of_a_host)
    listening = next(each for each in found.before if each.state == TCP_LISTEN)
    assert (listening.receive_queue, listening.send_queue) == (1, 1)
    client = next(each for each in found.before if each.remote_port == listening.local_port)
    assert client.info is not None
    assert client.info.bytes_acked == 1 + len(inside_held.SENT)
    server = next(
        each for each in found.before if each.local_port == listening.local_port and each.info
    )
    assert server.receive_queue == len(inside_held.SENT)
    (after,) = (each for each in found.after if each.state == TCP_TIME_WAIT)
    assert 0 < after.expires_ms <= 60_000
    assert after.inode == 0
