"""What the kernel's trace buffer hands out: pages of events with the times between them.

Pure: bytes in, records out. A page begins with a time and the number of bytes that follow;
each event has a header of 32 bits, its kind (or length) and the time since the one before.
Source: the kernel's own description in events/header_page and events/header_event, and
Documentation/trace/ring-buffer-design.rst. Little-endian: other machines order the bits of an
event's header the other way round.
"""

from __future__ import annotations

import re
import struct
import sys
from dataclasses import dataclass

from lab.errors import InstrumentError
from lab.kernel.trace.tracefs.format import parse_fields

RawEvent = tuple[int, bytes]
"""A time in nanoseconds of the buffer's clock, and a record."""

_TIME_SHIFT = 27
_STAMP_BITS = 59
_LENGTH_MASK = (1 << 27) - 1
_MISSED = 1 << 31
_MISSED_STORED = 1 << 30
_word = struct.Struct("<I").unpack_from
_long = struct.Struct("<Q").unpack_from


@dataclass(frozen=True, slots=True)
class PageLayout:
    """Where a page holds what, and how its events begin."""

    page_bytes: int
    time_offset: int
    commit_offset: int
    commit_bytes: int
    data_offset: int
    padding: int
    time_extend: int


def parse_page_layout(header_page: str, header_event: str) -> PageLayout:
    """Source: the files of these names in tracefs. Raises InstrumentError."""
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
            f"the trace's pages are none that the lab can read: {error}"
        ) from None


def parse_pages(layout: PageLayout, data: bytes) -> tuple[list[RawEvent], int]:
    """The events of whole pages one after another, in their order; and how many were missed.

    Where the kernel does not say how many were missed before a page, that counts as one.
    Raises InstrumentError where the pages contradict themselves.
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
    """Append one page's events; how many were missed before it."""
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
    """Append the events between two positions, the first after `time_ns`.

    One loop for all kinds: it runs for each event of a trace.
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
    """A time of which the event holds the lower 59 bits."""
    time_ns = before_ns >> _STAMP_BITS << _STAMP_BITS | stamp
    return time_ns if time_ns >= before_ns else time_ns + (1 << _STAMP_BITS)
