"""The frames of a run that are in its spools, and are read there by whoever wants them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

from lab.frozen import frozen
from lab.kernel.capture.blocks import CapturedFrame, frames_of
from lab.kernel.capture.spool import read_blocks
from lab.records import Direction, Frame, SharedBytes

IN, OUT = Direction.IN, Direction.OUT


@frozen
class SpooledFrames:
    """Where they are, to be sent to another process that has the same files."""

    points: tuple[str, ...]
    """The names of the captures' points, in their order."""
    written: tuple[int, ...]
    """How far each of the files is written, in bytes."""
    max_frames: int | None = None
    """How many are wanted, the first in time; None for all."""

    def read(self, spools: Sequence[int]) -> tuple[Frame, ...]:
        """The frames, in order of time, from the descriptors of these files. Raises OSError."""
        points, same = self.points, SharedBytes().same
        # Of frames of one length the number is kept once.
        length_of: dict[int, int] = {}
        one = length_of.setdefault
        found = [
            Frame(
                time_ns,
                points[capture],
                OUT if is_outgoing else IN,
                same(data),
                one(length, length),
            )
            for capture, (time_ns, is_outgoing, data, length) in self._captured(spools)
        ]
        found.sort(key=attrgetter("time_ns"))
        return tuple(found[: self.max_frames])

    def are_cut(self, spools: Sequence[int]) -> bool:
        """Whether one of them is not whole. Raises OSError."""
        return any(len(each.data) < each.wire_bytes for _, each in self._captured(spools))

    def _captured(self, spools: Sequence[int]) -> Iterator[tuple[int, CapturedFrame]]:
        # Few captures do not need all of the files.
        for spool, end in zip(spools, self.written, strict=False):
            for block in read_blocks(spool, 0, end):
                for frame in frames_of(block.data):
                    yield block.capture, frame
