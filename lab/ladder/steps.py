"""What the steps of a run put on the wire, beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

from lab.analysis.story import Phase
from lab.frozen import frozen
from lab.ladder.model import FrameKind, FrameRow, Ladder, Part
from lab.model.counted import counted


@frozen
class SameFrames:
    """That a step's frames are those of an earlier step."""

    step: int
    """The earlier one's number, from 0."""
    is_exact: bool
    """Whether all are; else acknowledgements and the finding of the neighbour are left out."""


NAMES = {
    Phase.NEIGHBOUR: "ARP or ND",
    Phase.OPENING: "opening",
    Phase.DATA: "data",
    Phase.CLOSING: "closing",
    Phase.RESET: "reset",
    Phase.DATAGRAMS: "datagrams",
    Phase.FRAGMENTS: "fragments",
    Phase.ERROR: "ICMP errors",
    Phase.OTHER: "others",
}
"""What the frames of a phase are called in a list."""


def frames_of(ladder: Ladder) -> str:
    """ "20 frames: 2 ARP or ND, 3 opening, 10 data, 5 closing"; "no frame"."""
    counts = Counter(row.phase for row in _frames(ladder))
    if not counts:
        return "no frame"
    phases = ", ".join(f"{count} {NAMES[phase]}" for phase, count in counts.items())
    return f"{number_of_frames(ladder)}: {phases}"


def number_of_frames(ladder: Ladder) -> str:
    """ "20 frames"."""
    return counted(sum(1 for _ in _frames(ladder)), "frame")


def frames_beside(ladder: Ladder, like: SameFrames | None, steps: Sequence[str]) -> str:
    """The same of one of several `steps`, by their names: "16 frames, as stream-write"."""
    if like is None:
        return frames_of(ladder)
    but = "" if like.is_exact else " but for pure ACKs"
    return f"{number_of_frames(ladder)}, as {steps[like.step]}{but}"


def has_frames(ladder: Ladder) -> bool:
    """Whether anything went over a wire."""
    return any(isinstance(row, FrameRow) for row in ladder.every_row())


def likenesses(ladders: Sequence[Ladder]) -> list[SameFrames | None]:
    """Of each step, the first earlier one with the same frames; None where there is none.

    Frames are the same that go the same way and say the same in sequence numbers relative to
    their connection's, with the same payload and TCP states.
    """
    first_exactly: dict[Hashable, int] = {}
    first_roughly: dict[Hashable, int] = {}
    found: list[SameFrames | None] = []
    for number, ladder in enumerate(ladders):
        exactly = tuple(map(_shown, _frames(ladder)))
        roughly = tuple(map(_shown, filter(_matters, _frames(ladder))))
        if roughly and exactly in first_exactly:
            found.append(SameFrames(first_exactly[exactly], is_exact=True))
        elif roughly and roughly in first_roughly:
            found.append(SameFrames(first_roughly[roughly], is_exact=False))
        else:
            found.append(None)
            first_exactly[exactly] = first_roughly[roughly] = number
    return found


def _frames(ladder: Ladder) -> Iterator[FrameRow]:
    for row in ladder.every_row():
        if isinstance(row, FrameRow) and row.part is not Part.END:
            yield row


def _matters(row: FrameRow) -> bool:
    return row.kind is not FrameKind.ACK and row.phase is not Phase.NEIGHBOUR


def _shown(row: FrameRow) -> Hashable:
    """All that it says but its time, its number and its options' clocks."""
    way = (row.source, row.target, row.is_forward, row.is_lost)
    # A datagram's text has its ports, which differ each time.
    text = "" if row.phase is Phase.DATAGRAMS else row.text
    return (*way, row.kind, row.phase, text, row.payload, row.notes, row.sender_state)
