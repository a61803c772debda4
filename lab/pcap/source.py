"""The bytes of a capture, one after another: from a file, a pipe or standard input.

At most a few chunks are held at a time. gzip is undone on the way.
"""

from __future__ import annotations

import os
import select
import stat
import time
import zlib
from contextlib import contextmanager

from lab.errors import CaptureFileError

TYPE_CHECKING = False  # importing typing itself costs some 3 ms of every start
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

STANDARD_INPUT = "-"

_CHUNK_BYTES = 1 << 18
GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_MAX_UNZIPPED_BYTES = 4 << 30

_STOP_AFTER_S = 1.0
"""How long is read on after a wish to stop: a `tcpdump` that the same Ctrl-C ends writes what it
holds back, up to a whole buffer of packets, only then."""


class _StopReading(OSError):
    """Somebody wished the reading to end."""


class ByteSource:
    """Bytes that are taken one after another.

    `read` returns the next chunk, b"" at the end; it may raise OSError, after which there is
    nothing more. `name` is what messages call it.
    """

    __slots__ = ("_at", "_buffer", "_read", "fault", "name", "offset", "stopped")

    def __init__(self, name: str, read: Callable[[], bytes]) -> None:
        self.name = name
        self.offset = 0
        """How many bytes have been taken."""
        self.fault = ""
        """Why the bytes ended where their origin did not; "" where that is not so."""
        self.stopped = False
        """Whether they ended because somebody wished it, while more might have come."""
        self._read = read
        self._buffer = b""
        self._at = 0

    def peek(self, count: int) -> bytes:
        """The next `count` bytes, which stay; fewer only where fewer are left."""
        self._fill(count)
        return self._buffer[self._at : self._at + count]

    def take(self, count: int) -> bytes:
        """The next `count` bytes; fewer only where fewer are left."""
        at = self._at
        if at + count > len(self._buffer):
            self._fill(count)
            at = self._at
        taken = self._buffer[at : at + count]
        self._at = at + len(taken)
        self.offset += len(taken)
        return taken

    def view(self, least: int, most: int) -> memoryview:
        """The next bytes, which stay: `least` of them, fewer only where fewer are left.

        There are more where more are at hand; if there were not, `most` are read. The view is for
        looking at until the source is used again.
        """
        if len(self._buffer) - self._at < least:
            self._fill(most)
        return memoryview(self._buffer)[self._at :]

    def skip(self, count: int) -> None:
        """Take `count` bytes that were peeked at, or viewed."""
        self._at += count
        self.offset += count

    def _fill(self, count: int) -> None:
        missing = self._at + count - len(self._buffer)
        if missing <= 0:
            return
        parts = [self._buffer[self._at :]]
        self._at = 0
        while missing > 0 and not self.fault and not self.stopped:
            try:
                chunk = self._read()
            except _StopReading:
                self.stopped = True
                break
            except OSError as error:
                self.fault = error.strerror or str(error)
                break
            if not chunk:
                break
            parts.append(chunk)
            missing -= len(chunk)
        self._buffer = b"".join(parts)


@contextmanager
def open_source(path: str, stop: int | None = None) -> Iterator[ByteSource]:
    """The contents of a file, a pipe, a device, or, for "-", of standard input; gunzipped.

    Once the descriptor `stop` can be read, reading ends; that of a pipe a second later, since who
    writes into it may have been stopped as well and have something left to write.

    Raises CaptureFileError where it cannot be opened or is a directory or a terminal.
    """
    name = printable(path)
    descriptor = _open(path, name)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise CaptureFileError(f"cannot read {name}: it is a directory, not a capture file")
        if os.isatty(descriptor):
            raise CaptureFileError(
                f"cannot read {name}: it is a terminal; `tcpdump -w - | wirelab show -` reads what "
                "another program captures"
            )
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            read: Callable[[], bytes] = _PipeReader(descriptor, stop)
        else:
            read = _file_reader(descriptor, stop)
        yield gunzipped(ByteSource(name, read))
    finally:
        os.close(descriptor)


def is_plain_file(path: str) -> bool:
    """Whether it is a file on a disk, and not compressed by gzip. Raises OSError, ValueError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return is_file and os.pread(descriptor, len(GZIP_MAGIC), 0) != GZIP_MAGIC
    finally:
        os.close(descriptor)


def printable(name: str) -> str:
    """A file's name as it may stand in a line: escaped where a terminal would obey it."""
    if name == STANDARD_INPUT:
        return "standard input"
    return name if name.isprintable() else ascii(name)


def _open(path: str, name: str) -> int:
    if path == STANDARD_INPUT:
        return os.dup(0)
    try:
        # A FIFO is opened without waiting for who writes into it: waiting can be ended later.
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError:
        raise CaptureFileError(f"cannot read {name}: no such file") from None
    except PermissionError:
        raise CaptureFileError(
            f"cannot read {name}: permission denied; check the file's and directories' modes"
        ) from None
    except OSError as error:
        raise CaptureFileError(f"cannot read {name}: {error.strerror}") from None
    except ValueError as error:
        raise CaptureFileError(f"cannot read {name}: {error}") from None


def _file_reader(descriptor: int, stop: int | None) -> Callable[[], bytes]:
    """What reads a file. It raises _StopReading, OSError."""
    stopping = select.poll()
    if stop is not None:
        stopping.register(stop, select.POLLIN)

    def read() -> bytes:
        if stop is not None and stopping.poll(0):
            raise _StopReading
        return os.read(descriptor, _CHUNK_BYTES)

    return read


class _PipeReader:
    """What a pipe, FIFO or socket brings; b"" at its end. Raises _StopReading, OSError."""

    def __init__(self, descriptor: int, stop: int | None) -> None:
        self._descriptor = descriptor
        self._stop = stop
        self._deadline: float | None = None
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        if stop is not None:
            self._poll.register(stop, select.POLLIN)

    def __call__(self) -> bytes:
        while True:
            left_ms = None
            if self._deadline is not None:
                left_ms = (self._deadline - time.monotonic()) * 1000
                if left_ms <= 0:
                    raise _StopReading
            ready = [descriptor for descriptor, _ in self._poll.poll(left_ms)]
            if self._stop in ready and self._stop is not None:
                self._poll.unregister(self._stop)
                self._deadline = time.monotonic() + _STOP_AFTER_S
            if self._descriptor in ready:
                try:
                    return os.read(self._descriptor, _CHUNK_BYTES)
                except BlockingIOError:
                    continue


def gunzipped(source: ByteSource) -> ByteSource:
    """The source itself, or, where it begins as gzip does, one of what that holds.

    All members count; zero bytes after one do not, as gzip(1) allows. Source: RFC 1952.
    """
    if source.peek(2) != GZIP_MAGIC:
        return source
    members = _gunzip(source)
    return ByteSource(f"{source.name} (decompressed)", lambda: next(members, b""))


def _gunzip(source: ByteSource) -> Iterator[bytes]:
    """The contents of gzip members, in pieces. Raises OSError where they cannot be had."""
    size = 0
    data = source.take(_CHUNK_BYTES)
    while data:
        member = zlib.decompressobj(_GZIP_WINDOW)
        while not member.eof:
            data = data or source.take(_CHUNK_BYTES)
            if not data:
                if source.stopped:
                    raise _StopReading
                raise OSError(source.fault or "the file ends inside gzip-compressed data")
            # zlib gives nothing of a call that meets damage.
            before = member.copy()
            try:
                found = member.decompress(data, _CHUNK_BYTES)
            except zlib.error as error:
                place = yield from _before_damage(before, data)
                place += source.offset - len(data)
                raise OSError(f"damaged gzip data at byte {place} of the file: {error}") from None
            size += len(found)
            if size > _MAX_UNZIPPED_BYTES:
                raise OSError(f"more than {_MAX_UNZIPPED_BYTES >> 30} GiB decompressed")
            if found:
                yield found
            data = member.unconsumed_tail
        data = member.unused_data.lstrip(b"\0")
        while not data and (more := source.take(_CHUNK_BYTES)):
            data = more.lstrip(b"\0")


def _before_damage(member: zlib._Decompress, data: bytes) -> Generator[bytes, None, int]:
    """What `data` holds up to its damage; returns the place of that."""
    for at in range(len(data)):
        try:
            found = member.decompress(data[at : at + 1])
        except zlib.error:
            return at
        if found:
            yield found
    return len(data)
