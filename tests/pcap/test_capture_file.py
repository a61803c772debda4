from __future__ import annotations

import contextlib
import gzip
import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from captured import capture_of, fault_of, frames_of
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import CaptureFileError
from lab.pcap.capture_file import read_capture, read_frames
from lab.pcap.pcapng_writing import write_pcapng
from lab.records import Direction, Frame

FRAMES = (
    Frame(1_700_000_000_000_001_000, "if0", Direction.UNKNOWN, b"a" * 20, 20),
    Frame(1_700_000_000_000_002_000, "if0", Direction.UNKNOWN, b"b" * 9, 1514),
)


def pcap(link: int = 1) -> bytes:
    data = struct.pack("<I2H4I", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    for frame in FRAMES:
        seconds, rest_ns = divmod(frame.time_ns, 10**9)
        lengths = len(frame.data), frame.wire_bytes
        data += struct.pack("<4I", seconds, rest_ns // 1000, *lengths) + frame.data
    return data


def pcapng() -> bytes:
    file = io.BytesIO()
    write_pcapng(file, ["if0"], FRAMES, {}, "wirelab")
    return file.getvalue()


def simple_packet() -> bytes:
    """A file of one Simple Packet Block."""
    section = struct.pack("<3I2HqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = struct.pack("<2I2H2I", 1, 20, 1, 0, 0, 20)
    return section + interface + struct.pack("<3I4sI", 3, 20, 4, b"abcd", 20)


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def error(path: Path) -> str:
    with pytest.raises(CaptureFileError) as caught:
        read_capture(str(path))
    message = str(caught.value)
    assert message.isprintable()
    return message


@pytest.mark.parametrize("data", [pcap(), pcapng(), gz(pcap()), gz(pcapng())])
@pytest.mark.parametrize("name", ["some.pcap", "some.pcapng", "some.gz", "some.txt"])
def test_the_format_is_recognised_by_the_content_not_by_the_name(
    tmp_path: Path, data: bytes, name: str
) -> None:
    (tmp_path / name).write_bytes(data)
    assert read_capture(str(tmp_path / name)).frames == FRAMES


@pytest.mark.parametrize("data", [pcap(), pcapng(), gz(pcap()), gz(pcapng())])
@pytest.mark.parametrize("chunk", [1, 7, 24, 1000])
def test_bytes_may_come_in_any_pieces(data: bytes, chunk: int) -> None:
    assert capture_of(data, chunk).frames == FRAMES


def test_a_file_cut_before_its_first_packet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.cap"
    path.write_bytes(pcap()[:30])
    assert error(path) == (
        f"cannot read {path}: at byte 24 (packet 1): the file ends inside a record header: "
        "bytes needed: 16, left: 6"
    )


def test_of_a_cut_gzip_file_all_that_is_there_is_read() -> None:
    noise = os.urandom(60)
    frames = [Frame(n, "if0", Direction.UNKNOWN, noise + bytes([n]), 61) for n in range(1, 9)]
    file = io.BytesIO()
    write_pcapng(file, ["if0"], frames, {}, "wirelab")
    whole = gz(file.getvalue())
    found = set()
    for cut in range(2, len(whole)):
        fault = fault_of(whole[:cut])
        assert fault.endswith("the file ends inside gzip-compressed data")
        with contextlib.suppress(CaptureFileError):
            capture = capture_of(whole[:cut])
            assert list(capture.frames) == frames[: len(capture.frames)]
            found.add(len(capture.frames))
    assert {1, 4, 7, 8} <= found


def test_a_cut_between_members_is_a_cut_capture() -> None:
    first, second = gz(pcap()[:70]), gz(pcap()[70:])
    assert frames_of(first + second) == FRAMES
    capture = capture_of(first)
    assert capture.frames == FRAMES[:1]
    assert capture.broken.startswith("at byte 60 (packet 2): the file ends inside a record header")
    assert capture.name == "some.cap (decompressed)"


@pytest.mark.parametrize("position", [-8, -1])
def test_a_wrong_checksum_at_the_end_costs_no_packet(position: int) -> None:
    data = bytearray(gz(pcap()))
    data[position] ^= 0xFF
    capture = capture_of(bytes(data))
    assert capture.frames == FRAMES
    assert capture.broken.startswith(f"at byte {len(pcap())} (after packet 2): damaged gzip data")


@pytest.mark.parametrize("data", [b"", gz(b"")])
def test_an_empty_file_is_said_to_be_empty(data: bytes) -> None:
    assert fault_of(data).endswith("it is empty")


def test_a_file_that_is_no_capture_shows_its_first_bytes() -> None:
    assert "not a pcap or pcapng capture: its first bytes are 3c 68 74 6d 6c 3e 3c 62;" in fault_of(
        b"<html><body>"
    )
    assert "its first bytes are 1f 8b" in fault_of(gz(gz(pcap())))
    assert "its first bytes are d4 c3;" in fault_of(b"\xd4\xc3")


def test_what_is_wrong_is_an_error_where_a_file_must_be_whole(tmp_path: Path) -> None:
    path = tmp_path / "some.cap"
    for data, wrong in (
        (pcap()[:-1], "at byte 60 (packet 2): the file ends inside a packet record"),
        (pcap(link=220), "packet 1 is of link type 220 (USB_LINUX_MMAPPED)"),
        (simple_packet(), "packet 1 has no time that is possible"),
    ):
        path.write_bytes(data)
        with pytest.raises(CaptureFileError, match=r"^cannot read ") as caught:
            read_frames(path)
        assert wrong in str(caught.value)
    path.write_bytes(pcap())
    assert read_frames(path) == FRAMES


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch") / "some.cap"


def frames_or_capture_file_error(path: Path) -> None:
    with contextlib.suppress(CaptureFileError):
        capture = read_capture(str(path))
        assert all(isinstance(frame, Frame) for frame in capture.frames)


@given(
    start=st.sampled_from([b"", b"\x1f\x8b\x08\x00", pcap()[:24], pcapng()[:48]]),
    rest=st.binary(max_size=120),
)
@examples(150)
def test_any_bytes_give_frames_or_a_capture_file_error(
    scratch: Path, start: bytes, rest: bytes
) -> None:
    scratch.write_bytes(start + rest)
    frames_or_capture_file_error(scratch)


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
    frames_or_capture_file_error(scratch)


def test_random_gzip_members_are_never_read_wrongly() -> None:
    for cut in range(1, len(pcap())):
        assert frames_of(gz(pcap()[:cut]) + gz(pcap()[cut:])) == FRAMES


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
