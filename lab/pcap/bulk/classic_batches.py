"""The frames of a classic pcap file, in batches.

Where each record begins only the one before it tells, so that much is a loop; all else is read of
all records of a batch at once. What makes no sense is left to the reader of single packets, which
says why.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lab.pcap.bulk.bulk_reading import (
    BATCH_BYTES,
    LEAST_BYTES,
    UNKNOWN_DIRECTION,
    NotInBulkError,
    padded,
)
from lab.pcap.classic import MAGICS, POINT, read_header, record_bytes_of, take_record
from lab.records.bulk.batch import PADDING_BYTES, FrameBatch

if TYPE_CHECKING:
    from lab.pcap.bulk.bulk_reading import BulkReading
    from lab.pcap.classic import FileHeader
    from lab.pcap.source import ByteSource

_CAPTURED_AT = 8
"""Where in a record's header the number of captured bytes stands."""


def classic_batches(source: ByteSource, reading: BulkReading) -> Iterator[FrameBatch]:
    """The frames of a pcap file or of a variant of it, as read_pcap has them.

    Raises BrokenError as that does, and NotInBulkError.
    """
    order, variant = MAGICS[source.peek(4)]
    header = read_header(source, order, variant)
    record_bytes = record_bytes_of(source, header, variant)
    if header.lengths_swapped:
        raise NotInBulkError("it is of a version that has the lengths of records in either order")
    point = reading.point(POINT)
    while data := source.view(LEAST_BYTES, BATCH_BYTES):
        starts, size = _record_starts(data, header, record_bytes)
        if starts:
            offset = source.offset
            batch = _batch(data[:size], starts, header, record_bytes, offset, point, reading)
            source.skip(size)
            yield batch
        elif not take_record(source, header, record_bytes, reading.slow):
            return
        reading.check_slow()


def _record_starts(
    data: memoryview, header: FileHeader, record_bytes: int
) -> tuple[list[int], int]:
    """Where the records begin that are whole, up to the first that is not; and where they end."""
    captured_at = struct.Struct(header.order + "I").unpack_from
    longest, size = header.longest, len(data)
    last = size - record_bytes
    starts: list[int] = []
    add = starts.append
    at = 0
    while at <= last:
        (captured,) = captured_at(data, at + _CAPTURED_AT)
        following = at + record_bytes + captured
        if following > size or captured > longest:
            break
        add(at)
        at = following
    return starts, at


def _batch(
    data: memoryview,
    starts: list[int],
    header: FileHeader,
    record_bytes: int,
    offset: int,
    point: int,
    reading: BulkReading,
) -> FrameBatch:
    octets = padded(data, PADDING_BYTES)
    at = np.array(starts, dtype=np.int64)
    words = np.ndarray((len(octets) - 3,), f"{header.order}u4", octets, strides=(1,))
    seconds, units, captured, original = (words[at + 4 * n].astype(np.int64) for n in range(4))
    wire = np.maximum(captured, original)
    if header.fcs_bytes:
        wire = np.maximum(wire - header.fcs_bytes, 0)
        captured = np.minimum(captured, wire)
    same = np.zeros(len(at), dtype=np.int64)
    return reading.take(
        octets,
        at + record_bytes,
        captured,
        wire,
        seconds * 1_000_000_000 + units * header.unit_ns,
        same + point,
        same + header.link_number,
        same + UNKNOWN_DIRECTION,
        offset,
    )
