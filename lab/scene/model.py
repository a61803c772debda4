"""What is drawn of a ladder, and where: plain values in units that a renderer chooses.

Down the page everything has a slot, which is one line when the ladder is drawn by order; a
slot's time is its place when it is drawn to scale. Across it a lane has a share of the width.
Nothing is wrapped, cut, coloured or escaped; texts are as hostile as they were.
"""

from __future__ import annotations

import enum

from lab.analysis.story import Phase
from lab.frozen import frozen
from lab.ladder.model import FrameKind, Lane
from lab.model.event import EventId


class SlotKind(enum.Enum):
    """What stands in a slot, as far as it can be left out by its kind."""

    CALL = "call"
    FRAME = "frame"
    STATE = "state"
    QUEUE = "queue"
    DROP = "drop"
    STRIKE = "strike"
    TRANSFER = "transfer"
    HEADING = "heading"
    NOTE = "note"
    FOLD = "fold"


@frozen
class SceneSlot:
    """One line of the ladder when it is drawn by order."""

    kind: SlotKind
    time_ns: int | None
    """None of what has no time of its own: a heading, a note, a call that never returned."""
    event: EventId | None
    """None of a heading or a fold."""
    is_concurrent: bool = False
    """Whether it may have come before the one above."""
    fold: int | None = None
    """The slot of the fold that it is in; None where it stands open."""


@frozen
class LanePlace:
    """Where a lane's line is across the page, and on which side of it its texts stand."""

    share: float
    """From 0, the first lane, to 1, the last."""
    inward: int
    """1 where texts begin at the line and go right, -1 where they end at it. Ribbons and brackets
    are on the other side."""


@frozen
class CallBracket:
    """A system call from its entry to its return: between the two it is in the kernel."""

    event: EventId
    lane: int
    column: int
    """From 0; calls that overlap in one lane stand side by side."""
    start: int
    """Slots."""
    end: int
    """The last slot of the scene where the call never returned."""
    is_closed: bool
    """Whether it returned."""
    label: str
    """ "#4", "client[7]#4"; where its lane has several connections "#4 40858:"."""
    text: str
    """ "connect(3, 198.51.100.2:4242, 16)"."""
    outcome: str
    """What stands at its end: "connect = 0"; of a call in one slot, or shown first, "0"."""
    is_told_first: bool
    """Whether the outcome stands at its start, as in a brief ladder: at its end is a frame."""
    duration_ns: int | None
    is_fault: bool


@frozen
class FrameArrow:
    """A frame's way from lane to lane."""

    event: EventId
    source: int
    """Lanes; the same twice where it never leaves its host."""
    target: int
    start: int
    """Slots."""
    end: int
    is_forward: bool
    kind: FrameKind
    label: str
    """ "f3 40858: SYN seq=0 win=42340"."""
    payload: bytes
    says: str
    """In words, in place of the payload's bytes; "" where there are none."""
    is_lost: bool
    dropped: str
    """The kernel's reason, or the wire's rule; "" where it arrived as it was."""
    notes: tuple[str, ...]
    """What is remarkable: "retransmission"."""


@frozen
class TransferArrow:
    """Bytes from one program to another that no wire carried."""

    source: int
    target: int
    slot: int
    read: EventId
    writes: tuple[EventId, ...]
    moved: int
    """Bytes."""


@frozen
class StateRibbon:
    """How long one end of a TCP connection was in a state."""

    lane: int
    column: int
    """From 0: one for each connection of the lane, in order of their first state."""
    connection: str
    """The client's port, where several connections are between the same lanes; else ""."""
    state: str
    start: int
    """Slots."""
    end: int
    is_measured: bool
    """By the kernel; else it is inferred from the frames (RFC 9293)."""


@frozen
class EventTag:
    """A state, a queue, a drop or a strike: what happened beside calls and frames, in one slot."""

    event: EventId
    kind: SlotKind
    lane: int
    slot: int
    text: str


@frozen
class SceneNote:
    """A sentence about the event above."""

    event: EventId
    lane: int
    slot: int
    text: str


@frozen
class SceneHeading:
    """What the frames below are for."""

    slot: int
    phase: Phase
    explanation: str


@frozen
class SceneFold:
    """Slots that are left out unless they are asked for; they follow this one."""

    slot: int
    last: int
    text: str
    lane: int | None


@frozen
class Scene:
    """A ladder, placed. Everything is in order of its first slot."""

    lanes: tuple[Lane, ...]
    places: tuple[LanePlace, ...]
    slots: tuple[SceneSlot, ...]
    calls: tuple[CallBracket, ...]
    arrows: tuple[FrameArrow, ...]
    transfers: tuple[TransferArrow, ...]
    ribbons: tuple[StateRibbon, ...]
    tags: tuple[EventTag, ...]
    notes: tuple[SceneNote, ...]
    headings: tuple[SceneHeading, ...]
    folds: tuple[SceneFold, ...]
    zero_ns: int
    """The time that others are counted from."""
