"""What the tests of the network reader do in a sandbox."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lab.kernel.system import libc
from lab.kernel.trace.bpf.network_reader import NetworkReader
from lab.kernel.trace.bpf.network_records import (
    ClosedOfRun,
    DropOfRun,
    StateOfRun,
    parse_network_records,
)
from lab.kernel.trace.tracefs.format import parse_format
from lab.kernel.trace.tracefs.instance import TRACEFS, mount_tracefs

Act = Callable[[], None]
SENT, BACKLOG = b"hello", 7


class Seen(NamedTuple):
    states: list[StateOfRun]
    drops: list[DropOfRun]
    closed: list[ClosedOfRun]
    namespace: int
    lost: int
    no_socket: int
    """The number of that reason on this kernel."""
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
    mount_tracefs()
    drop = parse_format("skb", Path(TRACEFS, "events/skb/kfree_skb/format").read_text())
    numbers = {name: number for number, name in drop.symbols["reason"].items()}
    reader = NetworkReader(numbers["NOT_SPECIFIED"], names_receiver=drop.has("rx_sk"))
    try:
        reader.follow([namespace])
        began_ns = time.clock_gettime_ns(time.CLOCK_TAI)
        act()
        ended_ns = time.clock_gettime_ns(time.CLOCK_TAI)
        states, drops, closed = parse_network_records(reader.take())
        return Seen(
            states, drops, closed, namespace, reader.lost, numbers["NO_SOCKET"], began_ns, ended_ns
        )
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
