"""Frames are read from the spools of a run by who knows where they are."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
from ring_blocks import Laid, block

from lab.kernel.capture.spool import open_spools, write_block
from lab.kernel.capture.spooled import SpooledFrames
from lab.records import Direction, StoredFrames

FD = Path("/proc/self/fd")
A, B = bytes(60), bytes(range(60))


def open_files() -> int:
    return len([*FD.iterdir()])


def spooled(spools: tuple[int, ...], max_frames: int | None = None) -> SpooledFrames:
    """Two captures' frames: one block of each in the first file, as another process gets them."""
    near = block(Laid(A, 10, is_outgoing=True), Laid(B, 30, is_outgoing=True))
    far = block(Laid(A, 20), Laid(B, 40, wire_bytes=1514))
    end = write_block(spools[0], 0, 0, memoryview(near))
    end = write_block(spools[0], end, 1, memoryview(far))
    found = SpooledFrames(("client/eth0", "server/eth0"), (end,), max_frames)
    told: SpooledFrames = pickle.loads(pickle.dumps(found))
    return told


def test_they_are_in_order_of_time_with_their_points() -> None:
    with open_spools() as spools:
        found = spooled(spools).read(spools)
    assert [(each.time_ns, each.point, each.direction, each.data) for each in found] == [
        (10, "client/eth0", Direction.OUT, A),
        (20, "server/eth0", Direction.IN, A),
        (30, "client/eth0", Direction.OUT, B),
        (40, "server/eth0", Direction.IN, B),
    ]
    assert found[-1].wire_bytes == 1514


@pytest.mark.parametrize("wanted", [1, 3, 4, 5])
def test_of_those_that_are_wanted_the_first_in_time_are_there(wanted: int) -> None:
    with open_spools() as spools:
        found = spooled(spools, wanted).read(spools)
    assert [each.time_ns for each in found] == [10, 20, 30, 40][:wanted]


@pytest.mark.parametrize("wanted", [None, 1, 3])
def test_where_they_are_many_they_stay_there(wanted: int | None) -> None:
    with open_spools() as spools:
        told = spooled(spools, wanted)
        here, there = told.read(spools), told.read(spools, large_bytes=0)
        assert isinstance(there, StoredFrames)
        assert isinstance(here, tuple)
    assert there == here  # though the spools are closed


def test_those_that_stay_have_their_tags() -> None:
    tagged = block(Laid(B, 10, tag=(0x8100, 7)), Laid(A, 20))
    with open_spools() as spools:
        end = write_block(spools[0], 0, 0, memoryview(tagged))
        told = SpooledFrames(("client/eth0",), (end,))
        found = told.read(spools, large_bytes=0)
        assert found == told.read(spools)
        assert found[0].data == B[:12] + b"\x81\0\0\7" + B[12:]
        os.ftruncate(spools[0], 0)
        with pytest.raises(OSError, match="were written"):
            found[1]


def test_the_files_are_kept_as_long_as_the_frames_are() -> None:
    before = open_files()
    with open_spools() as spools:
        found = spooled(spools).read(spools, large_bytes=0)
    assert open_files() == before + 1
    del found
    assert open_files() == before
