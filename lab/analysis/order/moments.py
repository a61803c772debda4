"""What happened, in order: moments on one clock, and what must come before what."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class MomentKind(enum.Enum):
    """What a moment is of."""

    ENTRY = "entry"
    EXIT = "exit"
    DEPARTURE = "departure"
    """A frame seen leaving."""
    ARRIVAL = "arrival"
    """A frame seen arriving; also of one whose departure no point saw."""
    STATE = "state"
    """A TCP socket changing its state."""
    DROP = "drop"
    """The kernel throwing a packet away."""
    QUEUE = "queue"
    """A unix socket being asked what is left to read."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened at one time."""

    time_ns: int
    kind: MomentKind
    event: str
    """The event's id: "client#4", "f3", "state 2", "drop 1", "queue 3"."""
    host: str
    """Where it happened; "" where that is not known."""


@dataclass(frozen=True, slots=True)
class Order:
    """A step's moments in the order in which they can have happened."""

    moments: tuple[Moment, ...]
    """Causes before effects, and else by time."""
    concurrent: frozenset[int]
    """Places of moments whose order against the one before them is not known: they are closer
    than the slack, and neither is the other's cause."""
    slack_ns: int
    edges: int
    """How many pairs of cause and effect were checked."""
    violations: tuple[str, ...]
    """An effect seen before its cause: an error of an instrument. A sentence each."""
