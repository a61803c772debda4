"""What the tests of sockets as the kernel holds them have a sandbox do."""

from __future__ import annotations

import os
import socket
import time
from contextlib import ExitStack
from typing import NamedTuple

from lab.kernel.network.holders import read_holders
from lab.kernel.network.inet_diag import InetSocket, read_inet_sockets
from lab.kernel.network.namespace import build_topology
from lab.kernel.network.sockets import held_sockets
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
