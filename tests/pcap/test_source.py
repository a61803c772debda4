from __future__ import annotations

import errno
import gzip
import os
import pty
import socket
import threading
import tracemalloc
from pathlib import Path

import pytest
from captured import source_of

from lab.errors import CaptureFileError
from lab.pcap.source import ByteSource, gunzipped, open_source, printable


def everything(source: ByteSource) -> bytes:
    return b"".join(iter(lambda: source.take(1000), b""))


def refusal(path: object) -> str:
    with pytest.raises(CaptureFileError) as caught, open_source(str(path)):
        pass
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_bytes_are_taken_in_order_and_counted() -> None:
    source = source_of(b"abcdefgh", chunk=3)
    assert (source.peek(2), source.take(4), source.offset) == (b"ab", b"abcd", 4)
    assert (source.take(0), source.peek(9), source.take(9)) == (b"", b"efgh", b"efgh")
    assert (source.take(1), source.offset, source.fault) == (b"", 8, "")


def test_what_comes_before_an_error_of_the_system_is_kept() -> None:
    chunks = iter([b"abc", b"de"])

    def read() -> bytes:
        try:
            return next(chunks)
        except StopIteration:
            raise OSError(errno.EIO, "Input/output error") from None

    source = ByteSource("disk", read)
    assert (source.take(4), source.fault) == (b"abcd", "")
    assert (source.take(4), source.fault) == (b"e", "Input/output error")
    assert source.take(1) == b""


def test_gzip_members_are_joined_and_zero_padding_ignored() -> None:
    data = b"0123456789" * 9
    packed = gzip.compress(data[:50]) + gzip.compress(b"") + gzip.compress(data[50:])
    for padding in (b"", bytes(512)):
        for chunk in (1, 40, 1 << 20):
            source = gunzipped(source_of(packed + padding, chunk))
            assert everything(source) == data
            assert (source.fault, source.name) == ("", "some.cap (decompressed)")


def test_a_gzip_file_is_given_up_to_its_damage() -> None:
    noise = os.urandom(5000)
    packed = bytearray(gzip.compress(noise, 0))
    packed[3000] ^= 0xFF  # stored: only the checksum at the end shows it
    source = gunzipped(source_of(bytes(packed)))
    assert len(everything(source)) == 5000
    assert source.fault.startswith("damaged gzip data at byte 50")
    rubbish = gzip.compress(noise) + b"rubbish"
    source = gunzipped(source_of(rubbish))
    assert everything(source) == noise
    assert source.fault.startswith(f"damaged gzip data at byte {len(rubbish) - 6}")


def test_a_large_gzip_file_is_not_held_as_a_whole() -> None:
    packed = gzip.compress(bytes(24 << 20))
    tracemalloc.start()
    source = gunzipped(source_of(packed, 1 << 12))
    while source.take(1 << 12):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert source.offset == 24 << 20
    assert peak < 4 << 20


def test_a_fifo_is_waited_for_and_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb", buffering=0) as file:
            file.write(b"one ")
            file.write(b"two")

    writer = threading.Thread(target=write)
    writer.start()
    with open_source(str(path)) as source:
        assert everything(source) == b"one two"
    writer.join()


def test_a_pipe_and_a_socket_are_read(tmp_path: Path) -> None:
    readable, writable = os.pipe()
    near, far = socket.socketpair()
    os.write(writable, b"pipe")
    far.send(b"sock")
    os.close(writable)
    far.close()
    with open_source(f"/dev/fd/{readable}") as source:
        assert everything(source) == b"pipe"
    os.close(readable)
    standard = os.dup(0)
    os.dup2(near.fileno(), 0)
    try:
        with open_source("-") as source:
            assert (source.name, everything(source)) == ("standard input", b"sock")
    finally:
        os.dup2(standard, 0)
        os.close(standard)
        near.close()


def test_reading_a_pipe_ends_when_it_is_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.pcap.source._STOP_AFTER_S", 0.05)
    path = tmp_path / "fifo"
    os.mkfifo(path)
    keeper = os.open(path, os.O_RDWR)
    os.write(keeper, b"came")
    stop, stopping = os.pipe()
    os.write(stopping, b"\0")
    with open_source(str(path), stop) as source:
        assert everything(source) == b"came"
        assert (source.stopped, source.fault) == (True, "")
    for descriptor in (keeper, stop, stopping):
        os.close(descriptor)


def test_reading_a_compressed_pipe_that_is_to_stop_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.pcap.source._STOP_AFTER_S", 0.05)
    path = tmp_path / "fifo"
    os.mkfifo(path)
    keeper = os.open(path, os.O_RDWR)
    noise = os.urandom(1000)
    os.write(keeper, gzip.compress(noise)[:-20])
    stop, stopping = os.pipe()
    os.write(stopping, b"\0")
    with open_source(str(path), stop) as source:
        assert noise.startswith(everything(source))
        assert (source.stopped, source.fault) == (True, "")
    for descriptor in (keeper, stop, stopping):
        os.close(descriptor)


def test_reading_a_file_ends_when_it_is_to_stop(tmp_path: Path) -> None:
    stop, stopping = os.pipe()
    with open_source("/dev/zero", stop) as source:
        assert len(source.take(1 << 20)) == 1 << 20
        os.write(stopping, b"\0")
        assert len(source.take(1 << 20)) < 1 << 20
        assert source.stopped
    os.close(stop)
    os.close(stopping)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing.pcap"
    assert refusal(path) == f"cannot read {path}: no such file"


def test_a_directory_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"cannot read {tmp_path}: it is a directory, not a capture file"


def test_a_terminal_is_refused() -> None:
    controller, terminal = pty.openpty()
    assert "it is a terminal" in refusal(os.ttyname(terminal))
    os.close(controller)
    os.close(terminal)


def test_other_refusals_of_the_system_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert refusal(tmp_path / "file" / "below").endswith("Not a directory")
    assert refusal(tmp_path / ("x" * 300)).endswith("File name too long")
    assert "embedded null " in refusal(tmp_path / "a\0b")  # byte, or from Python 3.13 on character


def test_a_name_that_would_break_the_line_is_escaped(tmp_path: Path) -> None:
    assert r"a\nb" in refusal(tmp_path / "a\nb")
    assert r"\x1b[31m" in refusal(tmp_path / "\x1b[31m")
    assert r"\udcff" in refusal(tmp_path / "\udcff")
    assert printable("-") == "standard input"
