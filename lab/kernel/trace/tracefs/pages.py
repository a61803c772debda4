"""Pages of the kernel's trace buffer, parsed to the records of events with their times.

Pure: bytes in, records out. A page begins with a time and the number of bytes that follow;
each event has a header of 32 bits: its kind (or length), and the time since the event before.
Source: the kernel's own description in events/header_page and events/header_event, and
Documentation/trace/ring-buffer-design.rst. For little-endian machines: others have the bits of
an event's header in the opposite order.
"""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Callable

from lab.errors import InstrumentError
from lab.frozen import frozen
from lab.kernel.trace.tracefs.format import parse_fields

RawEvent = tuple[int, bytes]
"""A time in nanoseconds of the buffer's clock, and a record."""

Handler = Callable[[int, bytes], None]
"""A function that takes an event's time and record."""

_TIME_SHIFT = 27
_STAMP_BITS = 59
_LENGTH_MASK = (1 << 27) - 1
_MISSED = 1 << 31
_MISSED_STORED = 1 << 30
_word = struct.Struct("<I").unpack_from
_long = struct.Struct("<Q").unpack_from


@frozen
class PageLayout:
    """Offsets of a page's parts, and the numbers of special kinds of events."""

    page_bytes: int
    time_offset: int
    commit_offset: int
    commit_bytes: int
    data_offset: int
    padding: int
    time_extend: int


def parse_page_layout(header_page: str, header_event: str) -> PageLayout:
    """The layout that the tracefs files of these names describe. Raises InstrumentError."""
    fields = {field.name: field for field in parse_fields(header_page)}
    kinds = dict(re.findall(r"(\w+)\s*: type == (\d+)", header_event))
    bits = re.findall(r"(type_len|time_delta)\s*:\s*(\d+) bits", header_event)
    try:
        if sys.byteorder != "little" or bits != [("type_len", "5"), ("time_delta", "27")]:
            raise KeyError("5 and 27 bits, little-endian")
        return PageLayout(
            page_bytes=fields["data"].offset + fields["data"].size,
            time_offset=fields["timestamp"].offset,
            commit_offset=fields["commit"].offset,
            commit_bytes=fields["commit"].size,
            data_offset=fields["data"].offset,
            padding=int(kinds["padding"]),
            time_extend=int(kinds["time_extend"]),
        )
    except KeyError as error:
        raise InstrumentError(
            f"the trace's pages have a layout that the lab cannot read: {error}"
        ) from None


def parse_pages(layout: PageLayout, data: bytes) -> tuple[list[RawEvent], int]:
    """The events in consecutive whole pages, in order, and how many were lost.

    If the kernel marks a page as following lost events but does not say how many, they count as
    one. Raises InstrumentError if the pages are malformed.
    """
    if len(data) % layout.page_bytes:
        raise InstrumentError(
            f"{len(data)} bytes of trace are no whole pages of {layout.page_bytes}"
        )
    events: list[RawEvent] = []
    missed = 0
    for begin in range(0, len(data), layout.page_bytes):
        missed += _parse_page(layout, data, begin, events)
    return events, missed


def _parse_page(layout: PageLayout, data: bytes, begin: int, events: list[RawEvent]) -> int:
    """Append one page's events; return how many were lost before it."""
    commit = _word(data, begin + layout.commit_offset)[0]
    first = begin + layout.data_offset
    end = first + (commit & _LENGTH_MASK)
    if end > begin + layout.page_bytes:
        raise InstrumentError(f"a page of the trace claims {commit & _LENGTH_MASK} bytes")
    time_ns = _long(data, begin + layout.time_offset)[0]
    try:
        _parse_events(layout, data, first, end, time_ns, events)
    except struct.error:
        raise InstrumentError("a page of the trace ends within an event") from None
    if not commit & _MISSED:
        return 0
    stored = commit & _MISSED_STORED and end + layout.commit_bytes <= begin + layout.page_bytes
    return int.from_bytes(data[end : end + layout.commit_bytes], "little") if stored else 1


def _parse_events(
    layout: PageLayout, data: bytes, position: int, end: int, time_ns: int, events: list[RawEvent]
) -> None:
    """Append the events between two positions; the first one's time is relative to `time_ns`.

    One loop for all kinds, because it runs for each event of a trace.
    """
    append, padding = events.append, layout.padding
    while position < end:
        header = _word(data, position)[0]
        kind = header & 31
        delta = header >> 5
        position += 4
        if kind < padding:
            time_ns += delta
            if kind:
                stop = position + 4 * kind
            else:
                # The length counts itself; the next event is aligned to 4 bytes.
                stop = position + (max(4, _word(data, position)[0]) + 3 & ~3)
                position += 4
            if stop > end:
                raise InstrumentError("an event of the trace reaches beyond its page")
            append((time_ns, data[position:stop]))
            position = stop
        elif kind == padding:
            if not delta:
                return  # the rest of the page is unused
            time_ns += delta
            position += max(4, _word(data, position)[0])
        elif kind == layout.time_extend:
            time_ns += (_word(data, position)[0] << _TIME_SHIFT) + delta
            position += 4
        else:  # the last of 5 bits' kinds: an absolute time stamp
            time_ns = _absolute((_word(data, position)[0] << _TIME_SHIFT) + delta, time_ns)
            position += 4


def _absolute(stamp: int, before_ns: int) -> int:
    """The first time after `before_ns` whose lower 59 bits are `stamp`."""
    time_ns = before_ns >> _STAMP_BITS << _STAMP_BITS | stamp
    return time_ns if time_ns >= before_ns else time_ns + (1 << _STAMP_BITS)
