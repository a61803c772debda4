"""A large capture file's frames stay in it, and are the same to whoever looks at them."""

from __future__ import annotations

import gc
import gzip
import os
from dataclasses import replace
from pathlib import Path

import pytest
import recorded as r

from lab.errors import CaptureFileError
from lab.pcap.bulk.stored_file import stored_frames
from lab.pcap.capture_file import read_frames
from lab.pcap.pcapng_writing import write_pcapng
from lab.records import Direction, Frame, LinkType, StoredFrames

FRAMES = (
    Frame(10, "a/eth0", Direction.OUT, b"one", 3),
    Frame(20, "b/eth0", Direction.IN, b"one", 3),
    Frame(20, "b/eth0", Direction.OUT, b"cut", 900),
    Frame(15, "a/eth0", Direction.IN, b"", 0),
)


def written(path: Path, *frames: Frame) -> Path:
    """A file of these frames."""
    with path.open("wb") as file:
        write_pcapng(file, ["unused", "a/eth0", "b/eth0"], frames, {1: "a comment"}, "test")
    return path


def test_they_are_the_frames_of_the_file_in_its_order(tmp_path: Path) -> None:
    path = written(tmp_path / "file", *FRAMES)
    found = stored_frames(path)
    assert isinstance(found, StoredFrames)
    assert found == FRAMES == read_frames(path)


@pytest.mark.parametrize("folder", sorted(r.FOLDER.iterdir()), ids=lambda folder: folder.name)
def test_those_of_every_recording_can_stay_in_its_file(folder: Path) -> None:
    path = folder / "recording.pcapng"
    found = stored_frames(path)
    assert found is not None
    assert found == read_frames(path)


def test_the_file_may_be_removed_and_is_open_as_long_as_they_are(tmp_path: Path) -> None:
    gc.collect()  # what other tests have left open is not to be closed meanwhile
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  as the file's descriptors are
    path = written(tmp_path / "file", *FRAMES)
    found = stored_frames(path)
    path.unlink()
    assert found is not None
    some = found[1:2]
    del found
    assert some == FRAMES[1:2]
    assert len(os.listdir("/proc/self/fd")) == before + 1  # noqa: PTH208
    del some
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_of_a_file_that_becomes_shorter_it_is_said(tmp_path: Path) -> None:
    path = written(tmp_path / "file", *FRAMES)
    found = stored_frames(path)
    assert found is not None
    os.truncate(path, 100)
    with pytest.raises(CaptureFileError, match="file: it was made shorter while it was read"):
        found[0]


@pytest.mark.parametrize(
    "odd",
    [
        replace(FRAMES[0], link_type=LinkType.RAW),
        replace(FRAMES[0], direction=Direction.UNKNOWN),
        replace(FRAMES[0], time_ns=2**64 - 1),
    ],
    ids=["link", "direction", "time"],
)
def test_a_frame_that_has_no_place_in_columns_leaves_all_to_the_other_reader(
    odd: Frame, tmp_path: Path
) -> None:
    path = written(tmp_path / "file", *FRAMES, odd)
    assert stored_frames(path) is None
    assert read_frames(path)[-1] == odd


def test_a_file_that_is_compressed_or_not_whole_is_left_to_the_other_reader(tmp_path: Path) -> None:
    data = written(tmp_path / "file", *FRAMES).read_bytes()
    for name, other in (("cut", data[:-5]), ("packed", gzip.compress(data))):
        (tmp_path / name).write_bytes(other)
        assert stored_frames(tmp_path / name) is None
