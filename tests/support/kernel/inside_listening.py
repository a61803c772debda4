"""What the tests of listening sockets and of processes left over have a sandbox do."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from lab.kernel.network.namespace import Namespace, build_topology
from lab.kernel.programs import listening
from lab.kernel.programs.leftovers import end_all, orphans, signal_each
from lab.kernel.programs.listening import ListeningWatch, Reachable
from lab.model.program import Listening
from lab.model.topology import Topology
from lab.records import Instrument

PATH, UNHEARD, DATAGRAMS, ABSTRACT = "/run/wirelab/a", "/run/wirelab/b", "/run/wirelab/c", "@d"
LISTENING, DEAF, BOUND, CONNECTED, OVER_IPV6 = 1111, 2222, 3333, 4444, 5555


@contextmanager
def lone_host() -> Iterator[Namespace]:
    with build_topology(Topology(("host",), ())) as namespaces:
        yield namespaces["host"]


def _open_sockets(stack: ExitStack) -> None:
    def made(domain: int, kind: int, address: object) -> socket.socket:
        opened = stack.enter_context(socket.socket(domain, kind))
        opened.bind(address)  # type: ignore[arg-type]
        return opened

    made(socket.AF_INET, socket.SOCK_STREAM, ("", LISTENING)).listen()
    made(socket.AF_INET, socket.SOCK_STREAM, ("", DEAF))
    made(socket.AF_INET, socket.SOCK_DGRAM, ("", BOUND))
    made(socket.AF_INET6, socket.SOCK_STREAM, ("::", OVER_IPV6)).listen()
    stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    made(socket.AF_UNIX, socket.SOCK_STREAM, PATH).listen()
    made(socket.AF_UNIX, socket.SOCK_STREAM, UNHEARD)
    made(socket.AF_UNIX, socket.SOCK_DGRAM, DATAGRAMS)
    made(socket.AF_UNIX, socket.SOCK_SEQPACKET, "\0" + ABSTRACT[1:]).listen()
    stack.enter_context(socket.socketpair()[0]).setblocking(False)


def reachable_sockets() -> dict[str, set[Reachable]]:
    """The sockets of a host that can be reached, as each source has them."""
    with lone_host() as host, ExitStack() as stack, host.entered():
        before = {"diag": set(listening._read_inet() or ())}
        assert before == {"diag": set()}
        _open_sockets(stack)
        diag = [*(listening._read_inet() or ()), *(listening._read_unix() or ())]
        proc = [*listening._inet_in_proc(), *listening._unix_in_proc()]
        return {"sock_diag": set(diag), "proc": set(proc)}


def appearances(wanted: Listening) -> tuple[bool, bool, bool]:
    """Whether such a socket has appeared: before, with one that was there, with a new one."""
    with lone_host() as host, ExitStack() as stack, host.entered():
        first = ListeningWatch(host, wanted)
        before = first.has_appeared()
        stack.enter_context(socket.create_server(("", LISTENING)))
        second = ListeningWatch(host, wanted)
        return before, first.has_appeared(), second.has_appeared()


def without_sock_diag() -> tuple[bool, Instrument]:
    """The same where the kernel has no part of sock_diag."""
    listening._read_inet = lambda: None
    with lone_host() as host, host.entered():
        watch = ListeningWatch(host, Listening(LISTENING))
        with socket.create_server(("", LISTENING)):
            return watch.has_appeared(), watch.instrument


def left_behind() -> tuple[bool, bool, bool]:
    """Of a child, a grandchild and an orphan that forks: what is counted, and what is left."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        if os.fork() == 0:  # a grandchild, whose parent lives
            os.write(write, b"%10d" % os.getpid())
        signal.pause()
    grandchild = int(os.read(read, 10))
    parent = os.fork()
    if parent == 0:
        if os.fork() == 0:  # an orphan, once its parent has ended
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.write(write, b"%10d" % os.getpid())
            signal.pause()
        os._exit(0)
    os.waitpid(parent, 0)
    orphan = int(os.read(read, 10))
    counted = orphans([child], []) == {orphan}
    spared = orphans([child], [orphan]) == frozenset()
    signal_each([orphan], signal.SIGTERM)  # which it ignores
    end_all([], lambda: None)
    left = [pid for pid in (child, grandchild, orphan) if Path(f"/proc/{pid}").exists()]
    return counted, spared, bool(left)


@contextmanager
def relay(forks: int) -> Iterator[Callable[[], bool]]:
    """A process that forks and ends, as its child does, until the last; whether one goes on."""
    held, hold = os.pipe()
    told, tell = os.pipe()
    group = os.fork()
    if group == 0:
        try:
            os.setpgid(0, 0)
            os.close(tell)
            ending = select.poll()
            ending.register(told, select.POLLHUP)
            for _ in range(forks):
                if ending.poll(0) or os.fork():
                    break
        finally:
            os._exit(0)
    os.close(hold)
    os.close(told)
    ended = select.poll()
    ended.register(held, select.POLLHUP)
    try:
        yield lambda: not ended.poll(0)
    finally:
        os.close(tell)
        ended.poll()
        os.close(held)
        with suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)


def look_at_a_relay(looks: int) -> int:
    """How often the one of its processes that was there was not seen."""
    misses = 0
    with relay(100_000) as goes_on:
        for _ in range(looks):
            found = orphans([], [])
            assert goes_on()
            misses += not found
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
    return misses


def end_a_relay() -> bool:
    """Whether it goes on after all have been ended."""
    with relay(300) as goes_on:
        end_all([], lambda: None)
        return goes_on()
