from __future__ import annotations

import contextlib
import gzip
import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import CaptureFileError
from lab.pcap.capture_file import read_capture
from lab.pcap.pcapng import write_pcapng
from lab.records import Direction, Frame

FRAMES = (
    Frame(1_700_000_000_000_001_000, "if0", Direction.UNKNOWN, b"a" * 20, 20),
    Frame(1_700_000_000_000_002_000, "if0", Direction.UNKNOWN, b"b" * 9, 1514),
)


def pcap() -> bytes:
    data = struct.pack("<I2H4I", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for frame in FRAMES:
        seconds, rest_ns = divmod(frame.time_ns, 10**9)
        lengths = len(frame.data), frame.wire_bytes
        data += struct.pack("<4I", seconds, rest_ns // 1000, *lengths) + frame.data
    return data


def pcapng() -> bytes:
    file = io.BytesIO()
    write_pcapng(file, ["if0"], FRAMES, {}, "wirelab")
    return file.getvalue()


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def read(tmp_path: Path, data: bytes, name: str = "some.cap") -> tuple[Frame, ...]:
    path = tmp_path / name
    path.write_bytes(data)
    return read_capture(path)


def error(path: Path) -> str:
    with pytest.raises(CaptureFileError) as caught:
        read_capture(path)
    message = str(caught.value)
    assert message.isprintable()
    return message


def content_error(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "some.cap"
    path.write_bytes(data)
    message = error(path)
    assert message.startswith(f"cannot read {path}")
    return message.removeprefix(f"cannot read {path}").removeprefix(": ")


@pytest.mark.parametrize("data", [pcap(), pcapng(), gz(pcap()), gz(pcapng())])
@pytest.mark.parametrize("name", ["some.pcap", "some.pcapng", "some.gz", "some.txt"])
def test_the_format_is_recognised_by_the_content_not_by_the_name(
    tmp_path: Path, data: bytes, name: str
) -> None:
    assert read(tmp_path, data, name) == FRAMES


def test_gzip_members_are_joined_and_zero_padding_ignored(tmp_path: Path) -> None:
    data = pcapng()
    assert read(tmp_path, gz(data[:50]) + gz(b"") + gz(data[50:]) + bytes(512)) == FRAMES


def test_a_gzip_file_longer_than_a_chunk_is_read_whole(tmp_path: Path) -> None:
    noise = Frame(1, "if0", Direction.UNKNOWN, os.urandom(150_000), 150_000)
    file = io.BytesIO()
    write_pcapng(file, ["if0"], [noise, *FRAMES], {}, "wirelab")
    data = file.getvalue()
    assert read(tmp_path, gz(data)) == (noise, *FRAMES)
    assert read(tmp_path, gz(data[:100_000]) + gz(data[100_000:])) == (noise, *FRAMES)


def test_a_cut_gzip_file_is_an_error_at_every_length(tmp_path: Path) -> None:
    whole = gz(pcap())
    for cut in range(2, len(whole)):
        assert content_error(tmp_path, whole[:cut]) == (
            f"at byte {cut}: the file ends inside gzip-compressed data"
        )
    assert content_error(tmp_path, whole[:1]).endswith("its first bytes are 1f")


def test_a_gzip_file_cut_between_members_is_a_cut_capture(tmp_path: Path) -> None:
    first, second = gz(pcap()[:70]), gz(pcap()[70:])
    assert read(tmp_path, first + second) == FRAMES
    message = content_error(tmp_path, first)
    assert message.startswith(" (decompressed): at byte 60: the file ends inside a record header")


@pytest.mark.parametrize("position", [2, 3, 12, -8, -1])
def test_a_damaged_gzip_file_is_an_error(tmp_path: Path, position: int) -> None:
    data = bytearray(gz(pcap()))
    data[position] ^= 0xFF
    assert "gzip" in content_error(tmp_path, bytes(data))


def test_rubbish_after_a_gzip_member_is_an_error_that_says_where(tmp_path: Path) -> None:
    member = gz(pcap())
    message = content_error(tmp_path, member + b"rubbish")
    assert message.startswith(f"at byte {len(member)}: a damaged gzip member")


def test_offsets_in_a_compressed_file_are_said_to_be_decompressed(tmp_path: Path) -> None:
    message = content_error(tmp_path, gz(pcap()[:-1]))
    assert message.startswith(" (decompressed): at byte 60: the file ends inside a packet record")


@pytest.mark.parametrize("data", [b"", gz(b"")])
def test_an_empty_file_is_said_to_be_empty(tmp_path: Path, data: bytes) -> None:
    assert content_error(tmp_path, data).endswith("at byte 0: the file is empty")


def test_a_file_that_is_no_capture_shows_its_first_bytes(tmp_path: Path) -> None:
    assert content_error(tmp_path, b"<html><body>") == (
        "at byte 0: not a pcap or pcapng capture: its first bytes are 3c 68 74 6d 6c 3e 3c 62"
    )
    assert "its first bytes are 1f 8b" in content_error(tmp_path, gz(gz(pcap())))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing.pcap"
    assert error(path) == f"cannot read {path}: no such file"


def test_a_directory_is_named(tmp_path: Path) -> None:
    assert error(tmp_path) == f"cannot read {tmp_path}: it is a directory, not a capture file"


def test_a_fifo_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    assert "it is not a regular file" in error(path)


def test_other_refusals_of_the_system_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert error(tmp_path / "file" / "below").endswith("Not a directory")
    assert error(tmp_path / ("x" * 300)).endswith("File name too long")
    assert "embedded null " in error(tmp_path / "a\0b")  # byte, or from Python 3.13 on character


def test_a_name_that_would_break_the_line_is_escaped(tmp_path: Path) -> None:
    assert r"a\nb" in error(tmp_path / "a\nb")
    assert r"\udcff" in error(tmp_path / "\udcff")


@contextlib.contextmanager
def without_root() -> Iterator[None]:
    """The file permissions of an ordinary user, where root runs the tests."""
    if os.geteuid() != 0:
        yield
        return
    try:
        os.seteuid(65534)
    except OSError as refused:
        pytest.skip(f"root here cannot become an ordinary user: {refused}")
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_one_may_not_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "secret.pcap"
    path.write_bytes(pcap())
    path.chmod(0)
    with without_root():
        message = error(path)
    assert message.startswith(f"cannot read {path}: permission denied")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch") / "some.cap"


@given(
    start=st.sampled_from([b"", b"\x1f\x8b\x08\x00", pcap()[:24], pcapng()[:48]]),
    rest=st.binary(max_size=120),
)
@examples(150)
def test_any_bytes_give_frames_or_a_capture_file_error(
    scratch: Path, start: bytes, rest: bytes
) -> None:
    scratch.write_bytes(start + rest)
    with contextlib.suppress(CaptureFileError):
        assert all(isinstance(frame, Frame) for frame in read_capture(scratch))


@given(
    data=st.sampled_from([pcap(), pcapng(), gz(pcap()), gz(pcapng())]),
    changes=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), min_size=1, max_size=4),
)
@examples(200)
def test_a_damaged_file_gives_frames_or_a_capture_file_error(
    scratch: Path, data: bytes, changes: list[tuple[int, int]]
) -> None:
    damaged = bytearray(data)
    for position, value in changes:
        damaged[position % len(damaged)] = value
    scratch.write_bytes(damaged)
    with contextlib.suppress(CaptureFileError):
        assert all(isinstance(frame, Frame) for frame in read_capture(scratch))
