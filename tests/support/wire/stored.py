"""The frames of a recording as a long run has them: their bytes are elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from lab.records import Direction, Frame, FrameColumns, StoredFrames


class Reading:
    """Bytes of which it is counted how often they are read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.times = 0

    def __call__(self, file: int, start: int, length: int) -> bytes:
        self.times += 1
        assert file == 0
        return self.data[start : start + length]


def stored(frames: Sequence[Frame]) -> StoredFrames:
    """The same frames, stored."""
    return stored_and_read(frames)[0]


def stored_and_read(frames: Sequence[Frame]) -> tuple[StoredFrames, Reading]:
    """The same, and what is read when they are made."""
    points = list(dict.fromkeys(frame.point for frame in frames))
    reading = Reading(b"".join(frame.data for frame in frames))
    columns = FrameColumns(points, reading)
    start = 0
    for frame in frames:
        columns.add(
            frame.time_ns,
            points.index(frame.point),
            frame.wire_bytes,
            0,
            start,
            len(frame.data),
            is_outgoing=frame.direction is Direction.OUT,
        )
        start += len(frame.data)
    return StoredFrames(columns, range(len(frames))), reading
