"""The frames of a run that are in its spools, and are read there by whoever wants them."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from operator import attrgetter

from lab.frozen import frozen
from lab.kernel.capture.blocks import CapturedFrame, frame_places, frames_of
from lab.kernel.capture.packet_mmap import with_tag
from lab.kernel.capture.spool import read_blocks
from lab.records import Direction, Frame, FrameColumns, SharedBytes, StoredFrames

IN, OUT = Direction.IN, Direction.OUT

LARGE_BYTES = 1 << 22
"""Frames that take more in their spools stay there: some 20,000 small ones."""


@frozen
class SpooledFrames:
    """Where they are, to be sent to another process that has the same files."""

    points: tuple[str, ...]
    """The names of the captures' points, in their order."""
    written: tuple[int, ...]
    """How far each of the files is written, in bytes."""
    max_frames: int | None = None
    """How many are wanted, the first in time; None for all."""

    def read(self, spools: Sequence[int], large_bytes: int = LARGE_BYTES) -> Sequence[Frame]:
        """The frames, in order of time, from the descriptors of these files.

        Where they take more than `large_bytes` their bytes stay there, and the files are kept as
        long as the frames are. Raises OSError.
        """
        if sum(self.written) > large_bytes:
            return self._stored(spools)[: self.max_frames]
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

    def _captured(self, spools: Sequence[int]) -> Iterator[tuple[int, CapturedFrame]]:
        # Few captures do not need all of the files.
        for spool, end in zip(spools, self.written, strict=False):
            for block in read_blocks(spool, 0, end):
                for frame in frames_of(block.data):
                    yield block.capture, frame

    def _stored(self, spools: Sequence[int]) -> StoredFrames:
        columns = FrameColumns(self.points, _SpoolFiles(spools[: len(self.written)]))
        for file, (spool, end) in enumerate(zip(spools, self.written, strict=False)):
            for block in read_blocks(spool, 0, end):
                capture, data, begin = block
                for time_ns, is_outgoing, start, captured, wire, tag in frame_places(data):
                    columns.add(
                        time_ns, capture, wire, file, begin + start, captured,
                        is_outgoing=is_outgoing,
                    )  # fmt: skip
                    if tag is not None:
                        columns.keep(with_tag(data[start : start + captured], *tag))
        return columns.in_order()


class _SpoolFiles:
    """The files of spools, which are there as long as this is."""

    def __init__(self, spools: Sequence[int]) -> None:
        self._descriptors: list[int] = []
        # Not __del__, which the interpreter's own end may call when `os` has gone.
        weakref.finalize(self, _close, self._descriptors)
        self._descriptors += map(os.dup, spools)

    def __call__(self, file: int, start: int, length: int) -> bytes:
        """So many bytes, from that place of one of them on. Raises OSError."""
        found = os.pread(self._descriptors[file], length, start)
        if len(found) < length:
            raise OSError(f"a spool has {len(found)} bytes at {start}, where {length} were written")
        return found


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        with suppress(OSError):
            os.close(descriptor)
