"""The names of events: what evidence, the order of a step and the report refer to."""

from __future__ import annotations

import enum
import threading

from lab.frozen import frozen


class EventKind(enum.StrEnum):
    """What an event is."""

    FRAME = "frame"
    """A frame's way over one link, numbered through the run."""
    PRINTED_CALL = "printed call"
    """A call as a demo program printed it, numbered within the program."""
    SYSTEM_CALL = "system call"
    """A traced system call, numbered within the program."""
    STATE = "state"
    """A change of a TCP socket's state, numbered within the step."""
    DROP = "drop"
    """A packet that the kernel dropped, numbered within the step."""
    STRIKE = "strike"
    """What a rule of a wire did to a frame or a link, numbered within the step."""
    QUEUE = "queue"
    """A sample of what was left to read in a unix socket, numbered within the step."""


@frozen
class EventId:
    """One event of a step."""

    kind: EventKind
    number: int
    """From 1."""
    program: str = ""
    """Whose call it is; "" for every other kind."""

    def __str__(self) -> str:
        """As reports show it: "f3", "client:2", "client#4", "state 2", "drop 1", "strike 1"."""
        match self.kind:
            case EventKind.FRAME:
                return f"f{self.number}"
            case EventKind.PRINTED_CALL:
                return f"{self.program}:{self.number}"
            case EventKind.SYSTEM_CALL:
                return f"{self.program}#{self.number}"
            case _:
                return f"{self.kind.value} {self.number}"


_FRAME_IDS: list[EventId] = []
"""By the frame's number, which begin at 1."""
_GROWING = threading.Lock()
"""Runs are judged at once, each by a thread: one alone makes the list longer. An id that was added
twice would have every later frame called by the number of the one before it."""

_FAR = 1 << 16


def frame_id(number: int) -> EventId:
    """The event of the frame with that number. It is asked for again and again."""
    known = _FRAME_IDS
    if not 0 <= number < len(known) + _FAR:
        return EventId(EventKind.FRAME, number)
    if number >= len(known):
        with _GROWING:
            while len(known) <= number:
                known.append(EventId(EventKind.FRAME, len(known)))
    return known[number]
