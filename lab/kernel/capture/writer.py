"""The process that writes a run's blocks to disk as they come."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from lab.errors import KernelRefused
from lab.kernel.capture.drain import Drain
from lab.kernel.system.descriptors import leave_descriptors_but

_BEGIN, _FINISH = b"b", b"f"
FINISH_DEADLINE_MS = 30_000  # a disk may take its time


class Writer:
    """A process of its own that drains rings, so that frames wait for nobody.

    It is forked before the rings are made, which takes a while in which it gets ready.
    """

    def __init__(self, drains: Sequence[Drain]) -> None:
        """Fork it, with a thread for each of the drains. Raises KernelRefused."""
        asked, self._asking = os.pipe2(os.O_CLOEXEC)
        self._answered, answering = os.pipe2(os.O_CLOEXEC)
        try:
            self.pid = os.fork()
        except OSError as error:
            raise KernelRefused(f"cannot fork what writes frames: {error.strerror}") from error
        if self.pid == 0:
            _be_writer(drains, asked, answering)
        os.close(asked)
        os.close(answering)
        self._ended = os.pidfd_open(self.pid)
        self.is_gone = False
        """Whether it was found to have ended before it was to."""

    def begin(self) -> None:
        """Drain from now on: the rings are made."""
        self._ask(_BEGIN)

    def finish(self) -> bool:
        """Have it write all that is left; whether it did. It may fail and say why: see Progress."""
        return self._ask(_FINISH) and self._is_answered()

    def descriptors(self) -> tuple[int, ...]:
        """What becomes readable when it ends."""
        return () if self.is_gone else (self._ended,)

    def look(self) -> None:
        """Note whether it has ended."""
        if not self.is_gone:
            self.is_gone = bool(select.select([self._ended], [], [], 0)[0])

    def close(self) -> None:
        """End it."""
        self._kill()
        for descriptor in (self._asking, self._answered, self._ended):
            os.close(descriptor)

    def _ask(self, what: bytes) -> bool:
        try:
            os.write(self._asking, what)
        except BrokenPipeError:
            self.is_gone = True
        return not self.is_gone

    def _is_answered(self) -> bool:
        poll = select.poll()
        poll.register(self._answered, select.POLLIN)
        if not poll.poll(FINISH_DEADLINE_MS) or not os.read(self._answered, 1):
            self.is_gone = True
            self._kill()  # whoever takes over must be the only one
        return not self.is_gone

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._ended, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _be_writer(drains: Sequence[Drain], asked: int, answering: int) -> NoReturn:
    """What the forked process does until it ends."""
    try:
        rings = [ring for drain in drains for ring in drain.rings.values()]
        kept = {asked, answering, *(d.spool for d in drains), *(ring.fileno() for ring in rings)}
        leave_descriptors_but(kept)
        if os.read(asked, 1) == _BEGIN:
            for ring in rings:
                ring.map()
            _serve(drains, asked, answering)
    finally:
        os._exit(0)


def _serve(drains: Sequence[Drain], asked: int, answering: int) -> None:
    """Drain until it is to be finished, or until nobody asks any more."""
    # What is written to the second makes the first readable for all of the threads.
    over, ending = os.pipe2(os.O_CLOEXEC)
    threads = [threading.Thread(target=_keep_draining, args=(drain, over)) for drain in drains]
    for thread in threads:
        thread.start()
    if os.read(asked, 1) == _FINISH:
        os.write(ending, _FINISH)
        for thread in threads:
            thread.join()
        for drain in drains:
            drain.finish()
        os.write(answering, _FINISH)


def _keep_draining(drain: Drain, over: int) -> None:
    """Drain until that is readable. What fails ends the process: the run learns of it so."""
    try:
        numbers = {ring.fileno(): number for number, ring in drain.rings.items()}
        poll = select.epoll()
        for descriptor in (over, *numbers):
            poll.register(descriptor, select.EPOLLIN)
        while True:
            for descriptor, events in poll.poll():
                if descriptor == over:
                    return
                number = numbers[descriptor]
                if events & select.EPOLLERR:
                    drain.rings[number].clear_error()
                drain.take(number)
                if drain.progress.failure:
                    # What cannot be written stays in the ring, and would be found for ever.
                    poll.unregister(descriptor)
                elif drain.progress.is_full:
                    drain.rings[number].cut(0)
    except BaseException:
        os._exit(1)
