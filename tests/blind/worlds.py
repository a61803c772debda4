"""Runs in which something went otherwise, as every instrument saw: claims are BROKEN there.

What an instrument's failure hides would else never be missed: in a run in which all claims hold
a blind lab may say so too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lab.records import Direction, Frame, Recording

STRAY = b"\xff" * 6 + bytes(6) + b"\x88\xb5" + b"a frame that nobody should have sent".ljust(46)


def other_worlds(recording: Recording) -> Iterator[tuple[str, Recording]]:
    """Each with what happened in it."""
    yield "with a frame on every link", _with_frames(recording)


def _with_frames(recording: Recording) -> Recording:
    """On every link, while the first program of every step ran, one frame that crossed it."""
    frames = list(recording.frames)
    points = {point.name: point for point in recording.points}
    for step in dict.fromkeys(run.step for run in recording.programs):
        time_ns = next(run for run in recording.programs if run.step == step).started_ns
        for link in dict.fromkeys(point.link for point in recording.points):
            ends = [point for point in recording.points if point.link == link]
            ways = ((ends[0], Direction.OUT), (ends[-1], Direction.IN))
            for number, (end, direction) in enumerate(ways):
                frames.append(Frame(time_ns + number, end.name, direction, STRAY, len(STRAY)))
                counted = points[end.name]
                points[end.name] = replace(counted, frames=counted.frames + 1)
    ordered = tuple(sorted(frames, key=lambda frame: frame.time_ns))
    return replace(recording, frames=ordered, points=tuple(points.values()))
