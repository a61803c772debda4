"""The file that a run's blocks are written to as they come, without a name.

It holds, one behind another, for each block the number of its capture and its length, both u32,
and its bytes. The kernel reclaims it with the last descriptor, whatever happens to the lab.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from lab.errors import MachineError

FOLDERS = ("/var/tmp", "/tmp")  # the first is for what is large: file-hierarchy(7)
MOST = 4
_RECORD = struct.Struct("=II")
# What open(2) gives with O_TMPFILE on a file system that has no such files, and before Linux 3.11.
_NO_UNNAMED = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL})


class SpooledBlock(NamedTuple):
    """A block as it was written."""

    capture: int
    """Which of the captures it is from, by its place among them."""
    data: bytes
    start: int
    """Where in the file these are."""


@contextmanager
def open_spools() -> Iterator[tuple[int, ...]]:
    """Descriptors of new files that have no names, in $TMPDIR or else in one of FOLDERS.

    There are as many as there may be threads to write them; they are closed at the end of the with
    statement. Raises MachineError.
    """
    given = os.environ.get("TMPDIR")
    folders = (given,) if given else FOLDERS
    with ExitStack() as stack:
        found: list[int] = []
        for _ in range(min(os.cpu_count() or 1, MOST)):
            found.append(_open_in_one_of(folders))
            stack.callback(os.close, found[-1])
        yield tuple(found)


def _open_in_one_of(folders: Sequence[str]) -> int:
    *others, last = folders
    for folder in others:
        with suppress(MachineError):
            return _open(folder)
    return _open(last)


def _open(folder: str) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC
    try:
        return os.open(folder, flags | os.O_TMPFILE, 0o600)
    except OSError as error:
        if error.errno not in _NO_UNNAMED:
            raise _refused(folder, error) from None
    name = Path(folder, f".wirelab-{os.urandom(8).hex()}")
    try:
        descriptor = os.open(name, flags | os.O_CREAT | os.O_EXCL, 0o600)
        name.unlink()
    except OSError as error:
        raise _refused(folder, error) from None
    return descriptor


def _refused(folder: str, error: OSError) -> MachineError:
    return MachineError(
        f"cannot write what is captured to a file in {folder}: {error.strerror}",
        "TMPDIR names another folder",
    )


def write_block(descriptor: int, position: int, capture: int, block: memoryview) -> int:
    """Write one there; the position behind it. Raises OSError."""
    parts: Sequence[bytes | memoryview] = (_RECORD.pack(capture, len(block)), block)
    wanted = _RECORD.size + len(block)
    written = os.pwritev(descriptor, parts, position)
    while written < wanted:
        # The disk is nearly full, or the file has reached a limit: the next call says which.
        written += os.pwrite(descriptor, block[written - _RECORD.size :], position + written)
    return position + wanted


def read_blocks(descriptor: int, start: int, end: int) -> Iterator[SpooledBlock]:
    """The blocks that were written between these two positions. Raises OSError."""
    while start < end:
        capture, length = _RECORD.unpack(os.pread(descriptor, _RECORD.size, start))
        start += _RECORD.size
        yield SpooledBlock(capture, os.pread(descriptor, length, start), start)
        start += length
