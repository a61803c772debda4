"""Any capture file, read in batches of frames: pcap and its variants or pcapng."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.pcap.bulk.bulk_reading import BulkReading
from lab.pcap.bulk.classic_batches import classic_batches
from lab.pcap.bulk.pcapng_batches import pcapng_batches
from lab.pcap.capture import BrokenError, unreadable
from lab.pcap.capture_file import after, check_known
from lab.pcap.classic import is_pcap

if TYPE_CHECKING:
    from lab.pcap.capture import CaptureFile
    from lab.pcap.source import ByteSource
    from lab.records.bulk.batch import FrameBatch


class BulkFile:
    """The frames of a source, a batch at a time; `path` is where it comes from, for messages."""

    def __init__(self, source: ByteSource, path: str) -> None:
        self._source = source
        self._path = path
        self._reading = BulkReading()
        self._broken = ""

    @property
    def points(self) -> tuple[str, ...]:
        """The names of the points at which the frames so far were captured."""
        return tuple(self._reading.points)

    def batches(self) -> Iterator[FrameBatch]:
        """The frames in the file's order; of a file that is broken, those before that place.

        Raises NotInBulkError where the file has something that batches do not hold.
        """
        source, reading = self._source, self._reading
        try:
            first = check_known(source, self._path)
            yield from (classic_batches if is_pcap(first) else pcapng_batches)(source, reading)
            if source.fault:
                raise BrokenError(source.offset, source.fault, after(reading.slow))
        except BrokenError as error:
            if not source.stopped:
                error.what = source.fault or error.what
                self._broken = str(error)

    def capture(self) -> CaptureFile:
        """What there is to say of the file, once all batches have been read; without its frames.

        Raises CaptureFileError, if there is nothing that can be shown.
        """
        source, reading = self._source, self._reading
        if self._broken and not reading.slow.taken:
            raise unreadable(source.name, self._broken)
        return reading.capture(source.name, self._broken, stopped=source.stopped)
