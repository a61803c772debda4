"""An end to what takes too long, and whose fault that is: what is looked at, or the sheet's own."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from lab.grade.judging import OutOfTime, SheetOutOfTime, call_of_sheet

AGAIN_S = 1.0
"""So long after the first time it is raised again, where somebody's `except:` swallowed it."""

LAB = str(Path(__file__).resolve().parents[1])
"""The lab's own code: this folder, and what is below it, but for the sheets that come with it."""
SHEETS = f"{LAB}/sheets/"


@contextmanager
def deadline(cpu_s: float, wall_s: float | None = None) -> Iterator[None]:
    """End the block where it takes more of this process's time in user mode, or of any time.

    Raises OutOfTime where that is the doing of what is looked at: the lab is at work on it, and
    has been in the same call of the sheet's, or of none, for AGAIN_S. Raises SheetOutOfTime where a
    function of the sheet goes on by itself, calling the lab or not.

    Only in the main thread, and one at a time. A single call of a C function is not interrupted.
    Time of the processor is no matter of another program's load. Source: getitimer(2).
    """
    asked: FrameType | None = None
    was_seen = False

    def end(_: int, frame: FrameType | None) -> None:
        nonlocal asked, was_seen
        of_sheet, entry = _sheets_part(frame)
        if not of_sheet:
            raise OutOfTime
        if entry is None:
            raise SheetOutOfTime(_SAID)
        if was_seen:
            raise OutOfTime if entry is asked else SheetOutOfTime(_SAID)
        asked, was_seen = entry, True

    handlers = {each: signal.signal(each, end) for each in (signal.SIGVTALRM, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_s, AGAIN_S)
    if wall_s is not None:
        signal.setitimer(signal.ITIMER_REAL, wall_s, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        asked = None


_SAID = "it takes too long, whatever it is given"


def _sheets_part(frame: FrameType | None) -> tuple[bool, FrameType | None]:
    """Whether a function of the sheet is under way; and which call of its into the lab, or None."""
    entry: FrameType | None = None
    while frame is not None:
        if frame.f_code is call_of_sheet.__code__:
            return True, entry
        file = frame.f_code.co_filename
        if file.startswith(LAB) and not file.startswith(SHEETS):
            entry = frame
        frame = frame.f_back
    return False, None
