"""Capture files from anywhere: which are large, which can be a table, and their numbers."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from tabled import any_conversations

from lab.capture_files import (
    LARGE_BYTES,
    load_capture,
    read_file,
    read_large,
    read_table,
    show_capture,
    size_if_large,
)
from lab.errors import CaptureFileError
from lab.pcap.pcapng_writing import write_pcapng
from lab.records import CANARY_TEXT, Direction, Frame


def written(path: Path, frames: list[Frame], repeated: int = 1) -> Path:
    with path.open("wb") as file:
        write_pcapng(file, [frames[0].point], frames * repeated, {}, "wirelab")
    return path


def test_a_file_is_large_from_a_size_on(tmp_path: Path) -> None:
    small = written(tmp_path / "small.pcapng", any_conversations(1))
    assert size_if_large(str(small)) is None
    assert read_large(str(small)) is None
    per_copy = small.stat().st_size
    large = written(tmp_path / "large.pcapng", any_conversations(1), LARGE_BYTES // per_copy * 2)
    assert size_if_large(str(large)) == large.stat().st_size >= LARGE_BYTES
    table = read_large(str(large))
    assert table is not None
    assert len(table.table.packets) == len(read_file(str(large)).frames)


def test_neither_a_pipe_nor_a_compressed_file_is_large(tmp_path: Path) -> None:
    packed = tmp_path / "packed.pcapng.gz"
    packed.write_bytes(gzip.compress(os.urandom(2 * LARGE_BYTES), compresslevel=1))
    assert packed.stat().st_size >= LARGE_BYTES
    assert size_if_large(str(packed)) is None
    os.mkfifo(tmp_path / "pipe")
    assert size_if_large(str(tmp_path / "pipe")) is None
    assert size_if_large("-") is None
    assert size_if_large(str(tmp_path / "absent")) is None
    assert size_if_large("a\0b") is None


def test_a_table_is_made_of_a_file_however_small_as_it_lies_on_a_disk(tmp_path: Path) -> None:
    small = written(tmp_path / "small.pcapng", any_conversations(1))
    assert len(read_table(str(small)).table.packets) == len(any_conversations(1))
    packed = tmp_path / "packed.pcapng.gz"
    packed.write_bytes(gzip.compress(small.read_bytes()))
    with pytest.raises(CaptureFileError, match="neither piped nor compressed"):
        read_table(str(packed))
    with pytest.raises(CaptureFileError, match="absent"):
        read_table(str(tmp_path / "absent"))


def test_crossings_of_a_file_have_its_numbers_canaries_left_out(tmp_path: Path) -> None:
    frames = any_conversations(1)
    data = (bytes(14) + CANARY_TEXT).ljust(60, b"\0")
    canary = Frame(frames[0].time_ns, frames[0].point, Direction.UNKNOWN, data, len(data))
    path = str(written(tmp_path / "some.pcapng", [canary, *frames]))
    shown = show_capture(read_file(path))
    assert shown.canaries == 1
    assert [each.number for each in shown.crossings] != list(shown.packets)
    numbered = load_capture(path)
    assert [each.number for each in numbered.shown.crossings] == list(shown.packets)
    assert min(shown.packets) == 2
