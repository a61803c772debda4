"""An end to what takes too long, in time of the processor: another program's load is no matter."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from lab.grade.judging import OutOfTime

AGAIN_S = 1.0
"""So long after the first time it is raised again, where somebody's `except:` swallowed it."""


@contextmanager
def cpu_deadline(seconds: float) -> Iterator[None]:
    """Raise OutOfTime where the block takes more than that of this process's time in user mode.

    Only in the main thread, and one at a time. A single call of a C function is not interrupted.
    Source: getitimer(2), ITIMER_VIRTUAL.
    """

    def end(*_: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
