"""What happened, in order: events on one clock, and what must come before what."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from lab.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.model.event import EventId


class EventPart(enum.Enum):
    """Which part of a call or frame happened; of every other kind, the whole."""

    __hash__ = object.__hash__  # each is one object; enum's own hashes the name, in Python

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
    STRIKE = "strike"
    """A wire doing what a rule says."""
    QUEUE = "queue"
    """A unix socket being asked what is left to read."""


@frozen
class Event:
    """One thing that happened at one time."""

    time_ns: int
    part: EventPart
    id: EventId
    """A call's entry and exit have the same one, and so have a frame's departure and arrival."""
    host: str
    """Where it happened; "" where that is unknown."""


@frozen
class Order:
    """A step's events in the order in which they can have happened."""

    events: Sequence[Event]
    """Causes before effects, and else by time."""
    concurrent: frozenset[int]
    """Places of events whose order against the one before them is unknown: they are closer
    than the slack, and neither is the other's cause."""
    slack_ns: int
    edges: int
    """How many pairs of cause and effect were checked."""
    violations: tuple[str, ...]
    """An effect seen before its cause: an error of an instrument. A sentence each."""
    causes: Sequence[tuple[int, int]] = ()
    """Those pairs: the places of a cause and of its effect."""
