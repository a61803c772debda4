"""What the tests of the network reader do in a sandbox."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from lab.kernel.system import libc
from lab.kernel.trace.networks.network_reader import NetworkReader
from lab.kernel.trace.networks.network_records import Sight, parse_network_records

Act = Callable[[], None]
SENT, BACKLOG = b"hello", 7
_DEADLINE_S = 30.0


class Seen(NamedTuple):
    sight: Sight
    namespace: int
    lost: int
    drop_reasons: dict[int, str]
    reset_reasons: dict[int, str]
    began_ns: int
    ended_ns: int


def of_own_namespace(act: Act) -> Seen:
    """What is seen of an act in the namespace that is followed."""
    _set_loopback_up()
    return _watch(Path("/proc/self/ns/net").stat().st_ino, act)


def of_another_namespace(act: Act) -> Seen:
    """What is seen of an act in a namespace that is not followed."""
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    followed = os.fstat(here).st_ino
    libc.unshare(libc.CLONE_NEWNET, "make a network namespace")
    try:
        _set_loopback_up()
        return _watch(followed, act)
    finally:
        libc.setns(here, libc.CLONE_NEWNET, "return")
        os.close(here)


def _watch(namespace: int, act: Act) -> Seen:
    reader = NetworkReader()
    try:
        reader.follow([namespace])
        began_ns = time.clock_gettime_ns(time.CLOCK_TAI)
        act()
        ended_ns = time.clock_gettime_ns(time.CLOCK_TAI)
        sight = parse_network_records(reader.take())
        return Seen(
            sight, namespace, reader.lost, reader.drop_reasons, reader.reset_reasons,
            began_ns, ended_ns,
        )  # fmt: skip
    finally:
        reader.close()


def _set_loopback_up() -> None:
    """Source: netdevice(7), SIOCSIFFLAGS."""
    with socket.socket() as asked:
        fcntl.ioctl(asked, 0x8914, struct.pack("=16sh14x", b"lo", 1))


def send_to_nobody() -> None:
    """A datagram to a port that no socket has."""
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"nobody", ("127.0.0.1", 9))


def connect_to_nobody() -> None:
    """A connection that is refused."""
    with socket.socket() as client, suppress(ConnectionRefusedError):
        client.connect(("127.0.0.1", 9))


def connect_to_nobody_by_ipv6() -> None:
    """The same from a port of its own."""
    with socket.socket(socket.AF_INET6) as client, suppress(ConnectionRefusedError):
        client.bind(("::1", 4343))
        client.connect(("::1", 9))


def converse_mapped() -> None:
    """A connection of IPv4 to a socket of IPv6, whose program does not read what it was sent."""
    with (
        socket.create_server(
            ("::", 4242), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG
        ) as server,
        socket.socket() as client,
    ):
        client.connect(("127.0.0.1", 4242))
        with server.accept()[0] as accepted:
            client.sendall(SENT)
            accepted.recv(1, socket.MSG_PEEK)  # until it has come


def wait_for_lost_segments() -> None:
    """A SYN and a SYN-ACK that are sent again: the listening sockets take nothing yet."""
    with ExitStack() as held:
        deferring = held.enter_context(socket.create_server(("127.0.0.1", 4244)))
        deferring.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
        silent = held.enter_context(socket.socket())
        silent.connect(deferring.getsockname())
        full = held.enter_context(socket.create_server(("127.0.0.1", 4245), backlog=0))
        clients = [held.enter_context(socket.socket()) for _ in range(3)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        deadline = time.monotonic() + _DEADLINE_S
        while not (_sent_again() >= 2 and _retransmissions(clients[-1])):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def _retransmissions(client: socket.socket) -> int:
    info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return int.from_bytes(info[100:104], sys.byteorder)  # tcpi_total_retrans


def _sent_again() -> int:
    """Segments, in this network namespace. Source: proc_pid_net(5), snmp."""
    names, values = (
        line.split() for line in Path("/proc/self/net/snmp").read_text().splitlines()
        if line.startswith("Tcp:")
    )  # fmt: skip
    return int(values[names.index("RetransSegs")])


def converse() -> None:
    """A connection from its handshake to its end, all of it delivered."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as server,
        socket.socket() as client,
    ):
        client.connect(server.getsockname())
        with server.accept()[0] as accepted:
            accepted.sendall(SENT)
            client.recv(5)
            client.shutdown(socket.SHUT_WR)
            accepted.recv(1)
