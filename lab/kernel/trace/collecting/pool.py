"""A pool of collectors: it lends them to the runs of the processes that are forked from its own.

A collector takes a fifth of a run's processor time to make. So where one process has many runs
made, the collectors stay with it and serve one run after another. As many are made as runs are
traced at a time, each when it is first asked for.

    pool = CollectorPool()       # in a process of one thread; runs that it forks will ask
    …                                # when it is readable:
    pool.serve()
    pool.end()

A collector is lent until the run's sandbox has ended, and keeps nothing of it (Collector.forget).
One that dies or is in doubt of that is not lent again. It is a child of the pool's process, and
ends when that is gone, however that has ended.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import traceback
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from lab.kernel.system.descriptors import leave_descriptors_but
from lab.kernel.system.message_socket import MessageSocket
from lab.kernel.trace.collecting.start import become_collector, borrow_from

if TYPE_CHECKING:
    from lab.kernel.trace.collecting.collector import Collector

END_DEADLINE_S = 5.0
"""So long a collector may take to end."""
_FREE = b"free"
_SERVE = b"serve"
_BYTES = 16


class _Wish(NamedTuple):
    """What a sandbox asks for a collector with."""

    messages: int
    """A descriptor of the socket by which it is to be served."""
    init: int
    """The pidfd of its init."""

    def close(self) -> None:
        """Whoever wished for it makes one itself, if it has not ended."""
        os.close(self.messages)
        os.close(self.init)

    def has_ended(self) -> bool:
        """Whether the sandbox has."""
        return bool(select.select([self.init], [], [], 0)[0])


def _received_wish(control: socket.socket) -> _Wish | None:
    """None where the peer is gone, or this process could not take the descriptors."""
    _, descriptors, _, _ = socket.recv_fds(control, _BYTES, len(_Wish._fields))
    if len(descriptors) != len(_Wish._fields):
        for each in descriptors:
            os.close(each)
        return None
    for each in descriptors:
        os.set_inheritable(each, False)
    return _Wish(*descriptors)


class _Kept:
    """A collector: a child process."""

    def __init__(self, pid: int, control: socket.socket) -> None:
        self.pid = pid
        self.control = control
        self.lent_to: int | None = None
        """The pidfd of the init of the sandbox that it serves."""

    def is_free(self) -> bool:
        return self.lent_to is None

    def is_soon_free(self) -> bool:
        """Whether it has nothing to do but to forget the run that it has served."""
        return self.lent_to is not None and bool(select.select([self.lent_to], [], [], 0)[0])

    def lend(self, wish: _Wish) -> None:
        """Raises OSError where it is gone."""
        socket.send_fds(self.control, [_SERVE], [wish.messages, wish.init])
        os.close(wish.messages)
        self.lent_to = wish.init

    def take_back(self) -> None:
        if self.lent_to is not None:
            os.close(self.lent_to)
            self.lent_to = None


class CollectorPool:
    """Has collectors, and lends them."""

    def __init__(self) -> None:
        """Have the processes that are forked from this one ask here. Raises OSError."""
        self._asked, self._asks = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        borrow_from(self._asks)
        self._epoll = select.epoll()
        self._epoll.register(self._asked, select.EPOLLIN)
        self._kept: dict[int, _Kept] = {}
        """By the descriptors of their sockets."""
        self._wishes: deque[_Wish] = deque()

    def fileno(self) -> int:
        """Readable when `serve` has something to do."""
        return self._epoll.fileno()

    def leave(self) -> None:
        """To be called by a process that was forked from this one: it asks, and lends nothing."""
        self._asked.close()
        self._epoll.close()
        for kept in self._kept.values():
            kept.control.close()

    def serve(self) -> None:
        """Do what is to be done, without waiting long."""
        for descriptor, _ in self._epoll.poll(0):
            if descriptor == self._asked.fileno():
                self._take_wish()
            else:
                self._hear(self._kept[descriptor])
        self._grant()

    def end(self) -> None:
        """End the collectors, once no run is under way any more, and wait for it."""
        for wish in self._wishes:
            wish.close()
        for kept in [*self._kept.values()]:
            kept.control.shutdown(socket.SHUT_WR)
        for kept in [*self._kept.values()]:
            if not select.select([pidfd := os.pidfd_open(kept.pid)], [], [], END_DEADLINE_S)[0]:
                os.kill(kept.pid, signal.SIGKILL)
            os.close(pidfd)
            self._part_with(kept)

    def _take_wish(self) -> None:
        if wish := _received_wish(self._asked):
            self._wishes.append(wish)

    def _hear(self, kept: _Kept) -> None:
        said = b""
        with suppress(ConnectionResetError):
            said = kept.control.recv(_BYTES)
        if said == _FREE:
            kept.take_back()
        else:
            self._part_with(kept)

    def _part_with(self, kept: _Kept) -> None:
        """Forget a collector that is ending."""
        self._epoll.unregister(kept.control)
        del self._kept[kept.control.fileno()]
        kept.control.close()
        kept.take_back()
        os.waitpid(kept.pid, 0)

    def _grant(self) -> None:
        """Lend to those that wait. Where one is about to be free, a new one is not made."""
        while self._wishes:
            wish = self._wishes.popleft()
            if wish.has_ended():
                wish.close()
                continue
            free = next((kept for kept in self._kept.values() if kept.is_free()), None)
            if free is None:
                if sum(kept.is_soon_free() for kept in self._kept.values()) > len(self._wishes):
                    self._wishes.appendleft(wish)
                    return
                try:
                    free = self._new()
                except OSError:  # a limit of this process's: let the run meet its own
                    wish.close()
                    continue
            try:
                free.lend(wish)
            except OSError:
                self._part_with(free)
                self._wishes.appendleft(wish)

    def _new(self) -> _Kept:
        """Raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                pid = os.fork()
            except OSError:
                ours.close()
                raise
            if pid == 0:
                leave_descriptors_but({theirs.fileno()})
                _live(theirs)
        kept = _Kept(pid, ours)
        self._kept[ours.fileno()] = kept
        self._epoll.register(ours, select.EPOLLIN)
        return kept


def _live(control: socket.socket) -> NoReturn:
    """A collector's life."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)  # with the handlers it is the pool's process's own
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        status = 0 if _serve_all(become_collector(), control) else 1
    except BaseException:
        # What a run has to know it was told: this is about what is between two runs.
        traceback.print_exc()
    finally:
        os._exit(status)


def _serve_all(collector: Collector, control: socket.socket) -> bool:
    """Serve one wish after another until the pool's process is gone; False if one has failed."""
    while wish := _received_wish(control):
        if not collector.serve(MessageSocket(socket.socket(fileno=wish.messages))):
            return False
        collector.forget(wish.init)
        os.close(wish.init)
        with suppress(BrokenPipeError):
            control.send(_FREE)
    return True
