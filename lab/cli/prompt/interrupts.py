"""Signals during a session: noted, and taken where that does no harm.

An exception in the midst of a message would leave the rest of it to be read as the next one.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LOOKS_S = 0.1
NOTED = (signal.SIGINT, signal.SIGWINCH)


class Interrupts:
    """Notes Ctrl-C and that the terminal has another size, as long as the with statement lasts."""

    def __enter__(self) -> Interrupts:
        self._readable, self._writable = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._before = {each: signal.signal(each, _note) for each in NOTED}
        self._wakeup = signal.set_wakeup_fd(self._writable, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for each, handler in self._before.items():
            signal.signal(each, handler)
        os.close(self._readable)
        os.close(self._writable)

    def fileno(self) -> int:
        """Readable when a signal has come."""
        return self._readable

    def take(self) -> frozenset[int]:
        """The signals that have come since this was called last."""
        with suppress(BlockingIOError):
            return frozenset(os.read(self._readable, 1 << 16))
        return frozenset()

    @contextmanager
    def raising(self) -> Iterator[None]:
        """Ctrl-C raises KeyboardInterrupt here, as it does at once where it has come before.

        CPython's readline looks whether a signal has come when one ends its select(2): one that
        comes just before that is not seen until the next key. So a timer ends it now and then.
        """
        before = signal.signal(signal.SIGALRM, _note)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, LOOKS_S, LOOKS_S)
        try:
            if signal.SIGINT in self.take():
                raise KeyboardInterrupt
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            # In this order: what comes after the line is for what the line starts.
            self.take()
            signal.signal(signal.SIGINT, _note)


def _note(*_: object) -> None:
    """The descriptor that wakes up has it."""
