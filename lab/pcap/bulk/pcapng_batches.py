"""The frames of a pcapng file, in batches of Enhanced Packet Blocks.

Blocks of other types, and what makes no sense, are left to the reader of single blocks.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lab.pcap.bulk.bulk_reading import BATCH_BYTES, LEAST_BYTES, NotInBulkError, padded
from lab.pcap.link_types import longest_packet
from lab.pcap.pcapng import Sections
from lab.pcap.pcapng_numbers import END_OF_OPTIONS, ENHANCED_PACKET, FRAMING_BYTES, PACKET_FLAGS
from lab.records.bulk.batch import PADDING_BYTES, FrameBatch

if TYPE_CHECKING:
    from lab.pcap.bulk.bulk_reading import BulkReading
    from lab.pcap.pcapng import CaptureInterface
    from lab.pcap.source import ByteSource
    from lab.records.bulk.batch import Flags, Ints, Octets

_PACKET_AT = 28
"""Where in a block the packet begins: after its type and length, interface, time and lengths."""

_LEAST_BYTES = 32
_MOST_OPTIONS = 16
_FLAGS_BYTES = 4
_LATEST = np.iinfo(np.int64).max
_NS = 1_000_000_000
_MOST_BINARY_DIGITS = 33
"""Of a second's fraction: of more, their product with a second's nanoseconds has over 63."""


def pcapng_batches(source: ByteSource, reading: BulkReading) -> Iterator[FrameBatch]:
    """The frames of a pcapng file, as read_pcapng has them.

    Raises BrokenError as that does, and NotInBulkError.
    """
    sections = Sections(reading.slow)
    while data := source.view(LEAST_BYTES, BATCH_BYTES):
        starts, size = _block_starts(data, sections.order) if sections.order else ([], 0)
        if starts:
            batch, size = _batch(data[:size], starts, sections, source.offset, reading)
            if batch is not None:
                source.skip(size)
                yield batch
                continue
        if not sections.take_block(source):
            return
        reading.check_slow()


def _block_starts(data: memoryview, order: str) -> tuple[list[int], int]:
    """Where the whole Enhanced Packet Blocks begin with which the data does, and where they end."""
    kind_and_length = struct.Struct(order + "2I").unpack_from
    size = len(data)
    starts: list[int] = []
    add = starts.append
    at = 0
    while at + FRAMING_BYTES <= size:
        kind, length = kind_and_length(data, at)
        following = at + length
        if kind != ENHANCED_PACKET or length < _LEAST_BYTES or following > size:
            break
        add(at)
        at = following
    return starts, at


def _batch(
    data: memoryview, starts: list[int], sections: Sections, offset: int, reading: BulkReading
) -> tuple[FrameBatch | None, int]:
    """The frames of these blocks up to the first that is odd, and how many bytes those are."""
    octets = padded(data, PADDING_BYTES)
    at = np.array(starts, dtype=np.int64)
    words = np.ndarray((len(octets) - 3,), f"{sections.order}u4", octets, strides=(1,))
    length, number, high, low, captured, original = (
        words[at + 4 * n].astype(np.int64) for n in range(1, 7)
    )
    interfaces = sections.interfaces
    good = (length % 4 == 0) & (words[at + length - 4] == length) & (number < len(interfaces))
    longest = np.array([longest_packet(each.link_number) for each in interfaces] or [0])
    good &= captured <= longest[np.minimum(number, len(longest) - 1)]
    good &= captured <= length - _LEAST_BYTES
    flags = _packet_flags(octets, at, length, captured, good, sections.order)
    count = int(np.argmin(good)) if not good.all() else len(at)
    if not count:
        return None, 0
    end = starts[count - 1] + int(length[count - 1])
    at, number, captured, original, flags, high, low = (
        each[:count] for each in (at, number, captured, original, flags, high, low)
    )
    fcs_bytes = flags >> 5 & 0xF
    wire = np.maximum(np.maximum(captured, original) - fcs_bytes, 0)
    sections.blocks += count
    points = np.array([reading.point(each.name) for each in interfaces])
    links = np.array([each.link_number for each in interfaces])
    batch = reading.take(
        octets,
        at + _PACKET_AT,
        np.minimum(captured, wire),
        wire,
        _times_ns(high, low, number, interfaces),
        points[number],
        links[number],
        flags & 3,
        offset,
    )
    return batch, end


def _packet_flags(
    data: Octets, at: Ints, length: Ints, captured: Ints, good: Flags, order: str
) -> Ints:
    """Each block's epb_flags, 0 without; a block whose options make no sense is no longer good."""
    halves = np.ndarray((len(data) - 1,), f"{order}u2", data, strides=(1,))
    words = np.ndarray((len(data) - 3,), f"{order}u4", data, strides=(1,))
    flags = np.zeros(len(at), dtype=np.int64)
    is_known = np.zeros(len(at), dtype=bool)
    end = at + length - 4
    option = at + _PACKET_AT + captured + -captured % 4
    (left,) = np.nonzero(good & (option < end))
    for _ in range(_MOST_OPTIONS):
        if not len(left):
            return flags
        place = option[left]
        is_whole = place + 4 <= end[left]
        place = np.where(is_whole, place, 0)
        code, size = halves[place].astype(np.int64), halves[place + 2].astype(np.int64)
        is_last = is_whole & (code == END_OF_OPTIONS)
        is_flags = is_whole & (code == PACKET_FLAGS) & ~is_known[left]
        is_good = is_last | (is_whole & (place + 4 + size <= end[left]))
        is_good &= ~is_flags | (size == _FLAGS_BYTES)
        good[left[~is_good]] = False
        taken = is_flags & is_good
        flags[left[taken]] = words[place[taken] + 4]
        is_known[left[taken]] = True
        option[left] = place + 4 + size + -size % 4
        left = left[is_good & ~is_last & (option[left] < end[left])]
    good[left] = False
    return flags


def _times_ns(high: Ints, low: Ints, number: Ints, interfaces: Sequence[CaptureInterface]) -> Ints:
    """The packets' times. Raises NotInBulkError for one before 1970 or of more than 63 bits."""
    times = np.zeros(len(high), dtype=np.int64)
    for each in np.unique(number).tolist():
        interface, mask = interfaces[each], number == each
        if int(high[mask].max()) >> 31:
            raise NotInBulkError("a packet's time has more than 63 bits")
        times[mask] = _scaled(high[mask] << 32 | low[mask], interface)
    return times


def _scaled(stamps: Ints, interface: CaptureInterface) -> Ints:
    units, offset_ns = interface.units_per_second, interface.offset_seconds * _NS
    if units <= _NS and _NS % units == 0:
        factor = _NS // units
        if int(stamps.max()) > _LATEST // factor:
            raise NotInBulkError("a packet's time is after 2262")
        found = stamps * factor
    elif units % _NS == 0 and units // _NS <= _LATEST:
        found = stamps // (units // _NS)
    elif units & (units - 1) == 0 and units.bit_length() - 1 <= _MOST_BINARY_DIGITS:
        digits = units.bit_length() - 1
        seconds = stamps >> digits
        if int(seconds.max()) > _LATEST // _NS - 1:
            raise NotInBulkError("a packet's time is after 2262")
        found = seconds * _NS + ((stamps & (units - 1)) * _NS >> digits)
    else:
        raise NotInBulkError("an interface counts time in units unknown in bulk")
    if not 0 <= int(found.min()) + offset_ns <= int(found.max()) + offset_ns <= _LATEST:
        raise NotInBulkError("a packet's time is before 1970 or after 2262")
    return found + offset_ns
