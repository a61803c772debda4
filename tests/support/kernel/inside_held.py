"""What the tests of sockets as the kernel holds them have a sandbox do."""

from __future__ import annotations

import os
import socket
import time
from contextlib import ExitStack, suppress
from typing import NamedTuple

from lab.kernel.network.holders import read_holders
from lab.kernel.network.inet_diag import InetSocket, read_inet_sockets
from lab.kernel.network.namespace import Namespace, build_topology
from lab.kernel.network.sockets import has_tcp_in_flight, held_sockets
from lab.model.family import Family
from lab.model.topology import Topology, two_hosts
from lab.records import Held, HeldSocket

SENT = b"hello"


class Queues(NamedTuple):
    before: list[InetSocket]
    """With a connection that nobody has accepted, and bytes that nobody has read."""
    after: list[InetSocket]
    """When both ends are closed."""


def queues_of_a_host() -> Queues:
    with build_topology(two_hosts()) as built, ExitStack() as stack:
        topology = two_hosts()
        address = str(topology.address("server", Family.IPV4))
        with built["server"].entered():
            listener = stack.enter_context(socket.create_server((address, 4242), backlog=1))
            client = stack.enter_context(socket.create_connection((address, 4242)))
            client.sendall(SENT)
            before = _read()
            accepted, _ = listener.accept()
            client.close()
            with accepted:
                assert accepted.recv(100) + accepted.recv(100) == SENT
            return Queues(before, _read())


def in_flight() -> dict[str, bool]:
    """Whether a connection of a host with itself has something in flight, by what was done."""
    found = {}
    with build_topology(two_hosts()) as built, ExitStack() as stack:
        host = built["server"]
        with host.entered():
            address = str(two_hosts().address("server", Family.IPV4))
            listener = stack.enter_context(socket.create_server((address, 4242)))
            client = stack.enter_context(socket.create_connection((address, 4242)))
            server = stack.enter_context(listener.accept()[0])
        found["open"] = _is_in_flight_for_long(host)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        client.send(SENT)
        found["held back"] = has_tcp_in_flight(host)
        server.recv(len(SENT))  # it came all the same
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        found["keepalive soon"] = has_tcp_in_flight(host)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 7200)
        found["keepalive some day"] = _is_in_flight_for_long(host)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
        client.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                client.send(bytes(1 << 16))
        found["window closed"] = has_tcp_in_flight(host)
        found["window stays closed"] = _is_in_flight_for_long(host)
    return found


def _is_in_flight_for_long(host: Namespace) -> bool:
    end = time.monotonic() + 10
    while has_tcp_in_flight(host):
        if time.monotonic() > end:
            return True
        time.sleep(0.01)
    return False


def _read() -> list[InetSocket]:
    found = read_inet_sockets(socket.IPPROTO_TCP, everything=True)
    assert found is not None
    return found


def holders_of_a_socket() -> tuple[list[int], list[int], list[int]]:
    """The pids of those that should have a socket open: two processes, then one; and those found.

    The second is a child that fork(2) has made, which ends meanwhile.
    """
    near, far = socket.socketpair()
    inode = os.fstat(near.fileno()).st_ino
    child = os.fork()
    if child == 0:
        near.close()
        far.recv(1)
        os._exit(0)
    shared = os.fstat(far.fileno()).st_ino
    _wait_for_closing(child, inode)
    two = [each.pid for each in read_holders().get(shared, ())]
    one = [each.pid for each in read_holders().get(inode, ())]
    near.send(b"x")
    os.waitpid(child, 0)
    far.close()
    gone = [each.pid for each in read_holders().get(shared, ())]
    near.close()
    assert (two, one) == ([os.getpid(), child], [os.getpid()])
    return two, one, gone


def _wait_for_closing(pid: int, inode: int) -> None:
    """Until a process has closed its copy of a socket."""
    deadline_ns = time.monotonic_ns() + 10_000_000_000
    while pid in [each.pid for each in read_holders().get(inode, ())]:
        assert time.monotonic_ns() < deadline_ns


def held_at(moments: tuple[Held, ...]) -> list[list[HeldSocket] | None]:
    """What a host holds at each of these, with a bound UDP socket and datagrams that nobody read,
    a listening TCP socket, and a unix socket with a message that nobody read."""
    with build_topology(Topology(("host",), ())) as built, ExitStack() as stack:
        host = built["host"]
        nothing = held_sockets(host, "end", "step", {})
        with host.entered():
            listener = stack.enter_context(socket.socket())
            listener.bind(("", 4242))
            listener.listen(7)
            receiver = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            receiver.bind(("127.0.0.1", 5353))
            sender = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            sender.sendto(b"unread", ("127.0.0.1", 5353))
            idle = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            idle.bind(("127.0.0.1", 5354))
            near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            stack.enter_context(near).send(b"unread")
            stack.enter_context(far)
        return [nothing, *(held_sockets(host, moment, "step", {}) for moment in moments)]
