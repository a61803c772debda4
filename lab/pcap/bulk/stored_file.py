"""The frames of a large capture file, whose bytes stay there until somebody asks for them."""

from __future__ import annotations

import os
import weakref
from array import array
from pathlib import Path

import numpy as np

from lab.pcap.bulk.bulk_file import BulkFile
from lab.pcap.bulk.bulk_reading import NotInBulkError
from lab.pcap.capture import unreadable
from lab.pcap.source import is_plain_file, open_source, printable
from lab.records import DIRECTIONS, Direction, FrameColumns, LinkType, StoredFrames
from lab.records.bulk.batch import FrameBatch

_IN, _OUT = DIRECTIONS.index(Direction.IN), DIRECTIONS.index(Direction.OUT)


def stored_frames(path: Path) -> StoredFrames | None:
    """The frames of a run's capture file, which is kept open as long as they are.

    None where the file is not whole, or has anything but Ethernet frames of known directions: then
    `read_frames` has its frames, or says what is wrong. Raises CaptureFileError, OSError.
    """
    if not is_plain_file(str(path)):
        return None
    columns = FrameColumns((), _CaptureFile(path))
    with open_source(str(path)) as source:
        file = BulkFile(source, str(path))
        try:
            for batch in file.batches():
                if not _add(columns, batch):
                    return None
        except NotInBulkError:
            return None
        capture = file.capture()
    if capture.broken or capture.left_out:
        return None
    columns.points = file.points
    return StoredFrames(columns, range(len(columns.times_ns)))


class _CaptureFile:
    """The file, open as long as this is there."""

    def __init__(self, path: Path) -> None:
        self._name = printable(str(path))
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)

    def __call__(self, file: int, start: int, length: int) -> bytes:
        """So many bytes, from that place of it on. Raises CaptureFileError, OSError."""
        assert file == 0
        found = os.pread(self._descriptor, length, start)
        if len(found) < length:
            raise unreadable(self._name, "it was made shorter while it was read")
        return found


def _add(columns: FrameColumns, batch: FrameBatch) -> bool:
    """Add its frames; False where there is one that columns do not hold."""
    leaving = batch.directions == _OUT
    if not (leaving | (batch.directions == _IN)).all():
        return False
    if (batch.links != LinkType.ETHERNET).any():
        return False
    columns.add_all(
        array("q", batch.time_ns.tobytes()),
        array("H", (batch.points << 1 | leaving).astype(np.uint16).tobytes()),
        array("I", batch.wire.astype(np.uint32).tobytes()),
        array("Q", batch.places.tobytes()),
        array("I", batch.captured.astype(np.uint32).tobytes()),
    )
    return True
