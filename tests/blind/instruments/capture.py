"""Capture points that are not there, end early, have a clock of their own, or see other frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from lab.records import Direction, Frame, Recording
from tests.blind.disturbance import (
    Disturbed,
    Manner,
    Name,
    cuts,
    falsified,
    later,
    spread,
)

MOST_FRAMES = 8

OF_A_POINT = frozenset({"point", "link_type"})
"""What a capture point has, and no frame of its own."""

LOST = "a link may lose a frame"


def disturbed(recording: Recording) -> Iterator[Disturbed]:
    """The same with one point, and with all."""
    everywhere = tuple(point.name for point in recording.points)
    for names in [everywhere, *((name,) for name in everywhere)]:
        where = ", ".join(names)
        rest = [frame for frame in recording.frames if frame.point not in names]
        there = [frame for frame in recording.frames if frame.point in names]
        if not there:
            continue
        points = tuple(point for point in recording.points if point.name not in names)
        yield _made(Manner.GONE, f"no {where}", replace(recording, points=points), rest)
        yield _made(Manner.GONE, f"no frame at {where}", recording, rest)
        for moment_ns, steps in cuts(recording):
            seen = [frame for frame in there if frame.time_ns < moment_ns]
            what = f"{where} ended in the middle of {', '.join(sorted(steps))}"
            yield replace(_made(Manner.CUT, what, recording, [*rest, *seen]), steps=steps)
        if len(names) < len(everywhere):
            late = [later(frame) for frame in there]
            yield _made(Manner.LATE, f"{where} is late", recording, [*rest, *late])
    for place, frame in spread(recording.frames, MOST_FRAMES):
        before, after = recording.frames[:place], recording.frames[place + 1 :]
        said = f"frame {place + 1} of {len(recording.frames)} at {frame.point}"
        unseen = _made(Manner.FALSE, f"{said} not seen", recording, [*before, *after])
        lost = LOST if frame.direction is Direction.IN else ""
        yield replace(unseen, cannot_be_told=lost)
        for field, other in falsified(frame, OF_A_POINT):
            frames = [*before, other, *after]
            yield _made(Manner.FALSE, f"{said}: {field}", recording, frames)


def _made(manner: Manner, what: str, recording: Recording, frames: list[Frame]) -> Disturbed:
    """Nothing else tells of it: the points counted what they recorded."""
    counts = Counter(frame.point for frame in frames)
    points = tuple(
        replace(point, frames=counts[point.name] + point.dropped) for point in recording.points
    )
    ordered = tuple(sorted(frames, key=lambda frame: frame.time_ns))
    changed = replace(recording, frames=ordered, points=points)
    return Disturbed(Name.CAPTURE, manner, what, changed)
