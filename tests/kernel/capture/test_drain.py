"""What moves blocks from rings to a spool says how far it has come, and leaves what it must."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ring_blocks import Laid, block

from lab.kernel.capture.drain import Drain, Progress
from lab.kernel.capture.spool import open_spools, read_blocks

FRAME = Laid(bytes(60))


class Ring:
    """Blocks that the kernel has handed over, and one that it still fills."""

    def __init__(self, *blocks: bytes, still_open: bytes = b"") -> None:
        self.handed = list(blocks)
        self.still_open = still_open
        self.after = 0

    def block(self) -> memoryview | None:
        return memoryview(self.handed[0]) if self.handed else None

    def open_block(self) -> memoryview | None:
        return memoryview(self.still_open) if self.still_open else None

    def give_back(self) -> None:
        del self.handed[0]

    def go_on_after(self, sequence: int) -> None:
        self.after = sequence


@pytest.fixture
def spool() -> Iterator[int]:
    with open_spools() as spools:
        yield spools[0]


def drain_of(spool: int, *rings: Ring, max_frames: int | None = None) -> Drain:
    """A drain of all rings of a run."""
    every = dict(enumerate(rings))
    return Drain(every, 0, spool, Progress(len(rings), 1), max_frames)  # type: ignore[arg-type]


def test_what_is_handed_over_is_written_and_given_back(spool: int) -> None:
    one, two = block(FRAME, FRAME, sequence=1), block(FRAME, sequence=2)
    rings = Ring(one, two), Ring(still_open=one)
    drain = drain_of(spool, *rings)
    drain.take(0)
    drain.take(1)
    progress = drain.progress
    assert [each.data for each in read_blocks(spool, 0, progress.written(0))] == [one, two]
    assert rings[0].handed == []
    assert (progress.frames_of(0), progress.frames_of(1), progress.frames) == (3, 0, 3)
    assert (progress.blocks_of(0), progress.blocks_of(1)) == (2, 0)


def test_what_is_still_being_filled_is_written_at_the_end(spool: int) -> None:
    one, two = block(FRAME, sequence=1), block(FRAME, FRAME, sequence=2)
    drain = drain_of(spool, Ring(one, still_open=two))
    drain.finish()
    found = [each.data for each in read_blocks(spool, 0, drain.progress.written(0))]
    assert found == [one, two]
    assert drain.progress.frames == 3


def test_who_takes_over_goes_on_behind_what_is_written(spool: int) -> None:
    ring = Ring(block(FRAME, sequence=5))
    drain = drain_of(spool, ring)
    drain.take(0)
    drain.take_over()
    assert ring.after == 5


def test_what_cannot_be_written_stays_in_the_ring_and_is_said(tmp_path: Path) -> None:
    file = tmp_path / "read"
    file.touch()
    descriptor = os.open(file, os.O_RDONLY)
    ring = Ring(block(FRAME))
    drain = drain_of(descriptor, ring)
    drain.finish()
    assert len(ring.handed) == 1
    assert os.strerror(drain.progress.failure) == "Bad file descriptor"
    assert drain.progress.frames == 0
    os.close(descriptor)


def test_with_as_many_frames_as_were_wanted_it_says_so_and_writes_what_is_there(spool: int) -> None:
    """Another ring may hold earlier ones."""
    ring = Ring(block(FRAME, FRAME, sequence=1), block(FRAME, sequence=2))
    drain = drain_of(spool, ring, Ring(block(FRAME)), max_frames=3)
    drain.take(0)
    assert drain.progress.is_full
    drain.take(1)
    assert drain.progress.frames == 4
