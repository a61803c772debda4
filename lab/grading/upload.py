"""A capture file that was uploaded, alone or in a folder: read within limits, whatever it is."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import BinaryIO

from lab.capture_files import show_capture
from lab.errors import CaptureFileError
from lab.grading.member_name import is_ignored
from lab.pcap.capture_file import parse_capture
from lab.pcap.source import ByteSource, gunzipped, printable
from lab.results import Capture

MOST_BYTES = 16 << 20
"""Of a file, compressed or not."""
MOST_FRAMES = 10_000
_CHUNK_BYTES = 1 << 18
_MOST_NAMED = 4


def load_upload(path: str) -> Capture:
    """The capture, of which something can be expected; in messages it has no folder.

    Of a folder it is the only file in it, as services have them that take uploads.

    Raises CaptureFileError where it cannot be read, is no regular file, is no capture, or has more
    than MOST_BYTES or MOST_FRAMES.
    """
    name = printable(path.rstrip("/").rpartition("/")[2] or path)
    folder: int | None = None
    try:
        descriptor = _opened(path, name)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            folder, inside = descriptor, _only_file(descriptor, name)
            name = printable(inside)
            descriptor = _opened(inside, name, folder)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise CaptureFileError(f"cannot read {name}: it is no regular file")
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            return _load(file, name)
    except OSError as error:
        raise CaptureFileError(f"cannot read {name}: {error.strerror}") from None
    finally:
        if folder is not None:
            os.close(folder)


def _opened(path: str, name: str, folder: int | None = None) -> int:
    """A descriptor; a FIFO or a device is not waited for. Raises CaptureFileError, OSError."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY | os.O_NOFOLLOW
    try:
        return os.open(path, flags, dir_fd=folder)
    except ValueError as error:
        raise CaptureFileError(f"cannot read {name}: {error}") from None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        # It may lead to another student's.
        raise CaptureFileError(f"cannot read {name}: it is a symbolic link") from None


def _only_file(folder: int, name: str) -> str:
    """The name of what is in a folder, where it is one. Raises CaptureFileError, OSError."""
    with os.scandir(folder) as entries:
        found = ((each.name, each.is_dir(follow_symlinks=False)) for each in entries)
        taken = (each for each, is_folder in found if not is_ignored(each, is_folder=is_folder))
        names = sorted(each for each, _ in zip(taken, range(_MOST_NAMED), strict=False))
    if not names:
        raise CaptureFileError(f"cannot read {name}: there is no file in it; hand in one capture")
    if len(names) > 1:
        listed = ", ".join(printable(each) for each in names)
        raise CaptureFileError(
            f"cannot read {name}: it has several files, {listed} among them; hand in one capture"
        )
    return names[0]


def _load(file: BinaryIO, name: str) -> Capture:
    stored = _Limited(lambda: file.read(_CHUNK_BYTES))
    unzipped = gunzipped(ByteSource(name, stored.read))
    contents = _Limited(lambda: _taken(unzipped))
    capture = parse_capture(ByteSource(unzipped.name, contents.read), name)
    if stored.is_over or contents.is_over:
        raise CaptureFileError(f"cannot read {name}: it has more than {MOST_BYTES >> 20} MiB")
    if len(capture.frames) > MOST_FRAMES:
        raise CaptureFileError(
            f"cannot read {name}: it has {len(capture.frames):,} frames, and {MOST_FRAMES:,} are "
            "looked at, at most"
        )
    return Capture(show_capture(capture, as_numbered=True))


def _taken(source: ByteSource) -> bytes:
    data = source.take(_CHUNK_BYTES)
    if not data and source.fault:
        raise OSError(source.fault)
    return data


class _Limited:
    """A reader that ends where more than MOST_BYTES have come."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self.is_over = False
        self._read = read
        self._left = MOST_BYTES

    def read(self) -> bytes:
        """The next bytes; b"" at the end. Raises OSError."""
        data = self._read()
        self._left -= len(data)
        if self._left < 0:
            self.is_over = True
            raise OSError(f"more than {MOST_BYTES >> 20} MiB")
        return data
