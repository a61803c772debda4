"""What takes blocks out of rings and writes them to a spool, and how far it has come."""

from __future__ import annotations

import mmap
from collections.abc import Mapping

from lab.frozen import frozen
from lab.kernel.capture.blocks import block_header
from lab.kernel.capture.ring import BlockRing
from lab.kernel.capture.spool import write_block

_WORD_BYTES = 8
_FAILURE, _IS_FULL, _RINGS = range(3)
_OF_A_RING = 2


class Progress:
    """How far the blocks are written: numbers that processes share."""

    def __init__(self, rings: int, spools: int) -> None:
        self._ring_count = rings
        self._spools = _RINGS + _OF_A_RING * rings
        self._memory = mmap.mmap(-1, (self._spools + spools) * _WORD_BYTES)
        self._words = memoryview(self._memory).cast("Q")

    @property
    def frames(self) -> int:
        """How many frames are in the spools."""
        return sum(map(self.frames_of, range(self._ring_count)))

    @property
    def failure(self) -> int:
        """The errno with which writing has failed; 0 while it has not."""
        return self._words[_FAILURE]

    @property
    def is_full(self) -> bool:
        """Whether as many frames were written as were wanted."""
        return bool(self._words[_IS_FULL])

    def written(self, spool: int) -> int:
        """The position behind the last block that is whole in that spool."""
        return self._words[self._spools + spool]

    def blocks_of(self, ring: int) -> int:
        """The number of that ring's last block in its spool."""
        return self._words[_RINGS + _OF_A_RING * ring]

    def frames_of(self, ring: int) -> int:
        """How many frames of that ring are in its spool."""
        return self._words[_RINGS + _OF_A_RING * ring + 1]

    def wrote(self, ring: int, sequence: int, frames: int, spool: int, position: int) -> None:
        """A block is written, up to that position."""
        words, at = self._words, _RINGS + _OF_A_RING * ring
        words[at] = sequence
        words[at + 1] += frames
        words[self._spools + spool] = position

    def failed(self, number: int) -> None:
        """Writing has failed."""
        self._words[_FAILURE] = number

    def filled(self) -> None:
        """As many frames as were wanted are written."""
        self._words[_IS_FULL] = 1


@frozen
class Drain:
    """Moves blocks from some of a run's rings to a spool; never in two threads at a time."""

    rings: Mapping[int, BlockRing]
    """By their place among all of the run."""
    number: int
    """Which of the run's spools its own is."""
    spool: int
    """The descriptor of that file: see lab.kernel.capture.spool."""
    progress: Progress
    max_frames: int | None = None
    """With so many frames on disk the captures end; the first of them are in time among all."""

    def take(self, number: int) -> None:
        """Write the blocks of that ring which the kernel has handed over, and give them back.

        Where writing has failed they stay: the kernel counts what it has no room for.
        """
        ring = self.rings[number]
        while (block := ring.block()) is not None and self._write(number, block):
            ring.give_back()

    def take_over(self) -> None:
        """Go on where another process has ended."""
        for number, ring in self.rings.items():
            ring.go_on_after(self.progress.blocks_of(number))

    def finish(self) -> None:
        """Write all that is left, the blocks that the kernel still fills as well.

        To be called once no frame comes any more: see lab.kernel.capture.settling.
        """
        for number, ring in self.rings.items():
            self.take(number)
            if (block := ring.open_block()) is not None:
                self._write(number, block)

    def _write(self, number: int, block: memoryview) -> bool:
        """Write a block; whether it need not stay in the ring."""
        progress = self.progress
        if progress.failure:
            return False
        header = block_header(block)
        try:
            position = write_block(self.spool, progress.written(self.number), number, block)
        except OSError as error:
            progress.failed(error.errno or 0)
            return False
        progress.wrote(number, header.sequence, header.frames, self.number, position)
        if self.max_frames is not None and progress.frames >= self.max_frames:
            progress.filled()
        return True
