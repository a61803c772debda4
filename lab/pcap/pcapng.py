"""Capture files in the pcapng format: bytes to frames, and frames to bytes.

Nothing here opens a file. Times are written in nanoseconds, so that what is read back
equals what was observed.
Source: draft-ietf-opsawg-pcapng; sections are named after its headings.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from lab.errors import CaptureFileError
from lab.pcap.classic import (
    LINK_TYPES,
    MAX_CAPTURED_BYTES,
    UPPER_PDU,
    cut_short,
    impossible_length,
    not_a_capture,
    unreadable,
    unsupported_link_type,
    without_fcs,
)
from lab.pcap.upper_pdu import CaptureNote, upper_pdu
from lab.records import Direction, Frame, LinkType

TYPE_CHECKING = False  # importing typing itself costs some 3 ms of every start
if TYPE_CHECKING:
    from typing import BinaryIO

MAGIC = b"\x0a\x0d\x0d\x0a"
"""The type of a Section Header Block, the same in either byte order."""

_BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}

_SECTION_HEADER = 0x0A0D_0D0A
_INTERFACE_DESCRIPTION = 1
_PACKET = 2
"""Obsolete; the predecessor of the Enhanced Packet Block."""
_SIMPLE_PACKET = 3
_ENHANCED_PACKET = 6

_PACKET_LAYOUTS = {_ENHANCED_PACKET: "5I", _PACKET: "2H4I"}
"""The 20 bytes before the packet: interface, drops (_PACKET only), the time's halves, captured
and original length."""

_END_OF_OPTIONS = 0
_COMMENT = 1
_SHB_USER_APPLICATION = 4
_IF_NAME = 2
_IF_TIMESTAMP_RESOLUTION = 9
_IF_TIMESTAMP_OFFSET = 14
_PACKET_FLAGS = 2

_BLOCK_FRAMING_BYTES = 12
_MAX_OPTION_BYTES = 65_535
_MAX_TIME_NS = 2**64 - 1

_DIRECTIONS = (Direction.UNKNOWN, Direction.IN, Direction.OUT, Direction.UNKNOWN)
"""By bits 0 and 1 of epb_flags."""


@dataclass(frozen=True, slots=True)
class _Interface:
    """The values of an Interface Description Block."""

    name: str
    link_number: int
    snap_bytes: int
    """0: unlimited."""
    units_per_second: int
    offset_seconds: int

    def time_ns(self, timestamp: int) -> int:
        """The time of a packet's 64-bit timestamp, rounded down to a nanosecond."""
        return (timestamp * 10**9) // self.units_per_second + self.offset_seconds * 10**9


@dataclass(slots=True)
class _Block:
    """One block. `body` is what lies between its type and length and its repeated length."""

    name: str
    offset: int
    order: str
    kind: int
    body: memoryview

    def error(self, what: str) -> CaptureFileError:
        return unreadable(self.name, self.offset, f"a block of type {self.kind:#x} {what}")

    def unpack(self, layout: str, at: int) -> tuple[int, ...]:
        """The numbers at `at` in the body, in the section's byte order."""
        layout = self.order + layout
        if at + struct.calcsize(layout) > len(self.body):
            raise self.error(f"has a length of {len(self.body) + 12}: too short for its fields")
        return struct.unpack_from(layout, self.body, at)


def parse_pcapng(data: bytes, name: str) -> tuple[Frame, ...]:
    """The frames of a pcapng file, in file order.

    There may be any number of sections, of either byte order, and of interfaces. `if_tsresol`,
    in powers of 10 or of 2, and `if_tsoffset` are applied. A frame's point is its interface's
    `if_name`, or "if" and the interface's number in its section. A frame in a Simple Packet
    Block has time 0, since that block has none. An FCS is removed if `epb_flags` announces it;
    `if_fcslen` is ignored, because the draft says that it counts bits and shows octets. Blocks
    of other types, and packets of link type UPPER_PDU, are left out.

    `name` is the file's name in messages.
    Raises CaptureFileError if the bytes are no pcapng file, end inside a block, contradict
    themselves, or hold a packet of an unsupported link type.
    Source: draft-ietf-opsawg-pcapng, "General Block Structure" and "Block Definition".
    """
    if not data.startswith(MAGIC):
        raise not_a_capture(name, data)
    interfaces: list[_Interface] = []
    frames: list[Frame] = []
    for block in _blocks(data, name):
        frame = None
        if block.kind in _PACKET_LAYOUTS:
            frame = _packet(block, interfaces)
        elif block.kind == _SIMPLE_PACKET:
            frame = _simple_packet(block, interfaces)
        elif block.kind == _INTERFACE_DESCRIPTION:
            interfaces.append(_parse_interface(block, len(interfaces)))
        elif block.kind == _SECTION_HEADER:
            _check_section_header(block)
            interfaces.clear()
        if frame is not None:
            frames.append(frame)
    return tuple(frames)


def _blocks(data: bytes, name: str) -> Iterator[_Block]:
    """Each block in turn, after a check of its two lengths."""
    view = memoryview(data)
    order = ""
    offset = 0
    while offset < len(data):
        left = len(data) - offset
        if left < _BLOCK_FRAMING_BYTES:
            raise cut_short(name, offset, "block header", _BLOCK_FRAMING_BYTES, left)
        if data.startswith(MAGIC, offset):
            order = _byte_order(data, name, offset)
        kind, length = struct.unpack_from(order + "2I", data, offset)
        if length < _BLOCK_FRAMING_BYTES or length % 4:
            what = f"a block of type {kind:#x} has the impossible length {length}"
            raise unreadable(name, offset, what)
        if length > left:
            raise cut_short(name, offset, f"block of type {kind:#x}", length, left)
        (repeated,) = struct.unpack_from(order + "I", data, offset + length - 4)
        if repeated != length:
            what = f"a block of type {kind:#x} gives its length as {length}, then as {repeated}"
            raise unreadable(name, offset, what)
        yield _Block(name, offset, order, kind, view[offset + 8 : offset + length - 4])
        offset += length


def _byte_order(data: bytes, name: str, offset: int) -> str:
    """The byte order of the section that begins at `offset`, as a struct format character."""
    magic = data[offset + 8 : offset + 12]
    if magic not in _BYTE_ORDERS:
        raise unreadable(name, offset + 8, f"a section's byte-order magic is {magic.hex(' ')}")
    return _BYTE_ORDERS[magic]


def _check_section_header(block: _Block) -> None:
    # The section length that follows the versions is only for skipping, and may be -1.
    _magic, major, minor, _length_high, _length_low = block.unpack("I2H2I", 0)
    if major != 1:
        raise block.error(f"is of version {major}.{minor}, which is not supported (1.x is)")


def _parse_interface(block: _Block, number: int) -> _Interface:
    """The values of an Interface Description Block; `number` counts from 0 in its section."""
    link_number, _reserved, snap_bytes = block.unpack("2HI", 0)
    options = _options(block, 8)
    resolution = _option_number(block, options, _IF_TIMESTAMP_RESOLUTION, "B", 6)
    # "Options": a zero octet ends a string, though none need be there.
    name = options.get(_IF_NAME, b"").partition(b"\0")[0].decode("utf-8", "replace")
    return _Interface(
        name=name or f"if{number}",
        link_number=link_number,
        snap_bytes=snap_bytes,
        units_per_second=(2 if resolution & 0x80 else 10) ** (resolution & 0x7F),
        offset_seconds=_option_number(block, options, _IF_TIMESTAMP_OFFSET, "q", 0),
    )


def _interface(block: _Block, interfaces: Sequence[_Interface], number: int) -> _Interface:
    if number >= len(interfaces):
        raise block.error(f"belongs to interface {number}, of which its section says nothing")
    return interfaces[number]


def _packet(block: _Block, interfaces: Sequence[_Interface]) -> Frame | None:
    """The frame of an Enhanced Packet Block or of an obsolete Packet Block."""
    number, *_drops, high, low, captured, original = block.unpack(_PACKET_LAYOUTS[block.kind], 0)
    interface = _interface(block, interfaces, number)
    time_ns = interface.time_ns(high << 32 | low)
    if not 0 <= time_ns <= _MAX_TIME_NS:
        raise block.error("has an impossible time: before 1970 or after 2554")
    return _frame(block, interface, time_ns, 20, captured, original)


def _simple_packet(block: _Block, interfaces: Sequence[_Interface]) -> Frame | None:
    """The frame of a Simple Packet Block: the first interface's, with time 0."""
    interface = _interface(block, interfaces, 0)
    (original,) = block.unpack("I", 0)
    captured = min(original, interface.snap_bytes or original)
    return _frame(block, interface, 0, 4, captured, original)


def _frame(
    block: _Block, interface: _Interface, time_ns: int, at: int, captured: int, original: int
) -> Frame | None:
    """The frame whose bytes begin at `at` in the body, or None if it is a note (UPPER_PDU)."""
    if captured > MAX_CAPTURED_BYTES:
        raise impossible_length(block.name, block.offset, captured)
    data = bytes(block.body[at : at + captured])
    if len(data) < captured:
        raise block.error(f"holds {len(data)} bytes of a packet of {captured} captured bytes")
    flags = 0
    if block.kind != _SIMPLE_PACKET:
        options = _options(block, at + captured + -captured % 4)
        flags = _option_number(block, options, _PACKET_FLAGS, "I", 0)
    link_type = LINK_TYPES.get(interface.link_number)
    if link_type is None:
        if interface.link_number == UPPER_PDU:
            return None
        raise unsupported_link_type(block.name, block.offset, interface.link_number)
    data, wire_bytes = without_fcs(data, original, flags >> 5 & 0xF)
    return Frame(time_ns, interface.name, _DIRECTIONS[flags & 3], data, wire_bytes, link_type)


def _options(block: _Block, at: int) -> dict[int, bytes]:
    """The first value of each option from `at` in the body on, by the option's code."""
    options: dict[int, bytes] = {}
    while at < len(block.body):
        code, length = block.unpack("2H", at)
        if code == _END_OF_OPTIONS:
            break
        value = bytes(block.body[at + 4 : at + 4 + length])
        if len(value) < length:
            raise block.error(f"has an option (code {code}) that runs past its end")
        options.setdefault(code, value)
        at += 4 + length + -length % 4
    return options


def _option_number(
    block: _Block, options: Mapping[int, bytes], code: int, layout: str, default: int
) -> int:
    value = options.get(code)
    if value is None:
        return default
    if len(value) != struct.calcsize("=" + layout):
        raise block.error(f"has an option (code {code}) of the wrong length {len(value)}")
    (number,) = struct.unpack(block.order + layout, value)
    return int(number)


def write_pcapng(
    file: BinaryIO,
    points: Sequence[str],
    frames: Sequence[Frame],
    comments: Mapping[int, str],
    application: str,
    notes: Sequence[CaptureNote] = (),
) -> None:
    """Write `frames`, in their order, as one little-endian section.

    Each point becomes an interface of that name, in the order of `points`, with times in
    nanoseconds and no length limit; a point with frames of several link types becomes one
    interface for each. `comments` are by the frame's index; they are written as UTF-8, cut
    between characters to the 65,535 bytes that an option holds. `application` is recorded as
    the writer (`shb_userappl`). `notes`, in order of time, are written before the first later
    frame; their interfaces follow those of the points. The same arguments give the same bytes.

    Raises ValueError if a frame's point is not in `points`, its data is longer than
    MAX_CAPTURED_BYTES, or a frame's or note's time does not fit 64 unsigned bits.
    Source: draft-ietf-opsawg-pcapng.
    """
    numbers = _interface_numbers(points, frames)
    # Section length -1: not given.
    section = struct.pack("<I2Hq", 0x1A2B_3C4D, 1, 0, -1)
    section += _text_option(_SHB_USER_APPLICATION, application)
    file.write(_block(_SECTION_HEADER, section + _option(_END_OF_OPTIONS, b"")))
    for point, link_type in numbers:
        file.write(_interface_description(point, link_type))
    note_numbers = {
        name: len(numbers) + place
        for place, name in enumerate(dict.fromkeys(note.interface for note in notes))
    }
    for name in note_numbers:
        file.write(_interface_description(name, UPPER_PDU))
    seen = (
        (frame.time_ns, _enhanced_packet(frame, numbers[_origin(frame)], comments.get(index)))
        for index, frame in enumerate(frames)
    )
    noted = ((note.time_ns, _note_packet(note, note_numbers[note.interface])) for note in notes)
    for _time_ns, block in heapq.merge(seen, noted, key=itemgetter(0)):
        file.write(block)


def _origin(frame: Frame) -> tuple[str, LinkType]:
    return frame.point, frame.link_type


def _interface_description(name: str, link_number: int) -> bytes:
    body = struct.pack("<2HI", link_number, 0, 0) + _text_option(_IF_NAME, name)
    body += _option(_IF_TIMESTAMP_RESOLUTION, b"\x09") + _option(_END_OF_OPTIONS, b"")
    return _block(_INTERFACE_DESCRIPTION, body)


def _interface_numbers(
    points: Sequence[str], frames: Sequence[Frame]
) -> dict[tuple[str, LinkType], int]:
    """The interface number of each point and link type, in the order to write them."""
    link_types: dict[str, dict[LinkType, None]] = {point: {} for point in points}
    for frame in frames:
        if frame.point not in link_types:
            raise ValueError(f"a frame's capture point {frame.point!r} is not in {points!r}")
        link_types[frame.point][frame.link_type] = None
    pairs = (
        (point, link_type)
        for point, seen in link_types.items()
        for link_type in seen or (LinkType.ETHERNET,)
    )
    return {pair: number for number, pair in enumerate(pairs)}


def _enhanced_packet(frame: Frame, number: int, comment: str | None) -> bytes:
    if len(frame.data) > MAX_CAPTURED_BYTES or not 0 <= frame.time_ns <= _MAX_TIME_NS:
        raise ValueError(
            f"a frame of {len(frame.data)} bytes at {frame.time_ns} ns cannot be written"
        )
    high, low = divmod(frame.time_ns, 2**32)
    body = struct.pack("<5I", number, high, low, len(frame.data), frame.wire_bytes)
    flags = _DIRECTIONS.index(frame.direction)
    body += _padded(frame.data) + _option(_PACKET_FLAGS, struct.pack("<I", flags))
    if comment is not None:
        body += _text_option(_COMMENT, comment)
    return _block(_ENHANCED_PACKET, body + _option(_END_OF_OPTIONS, b""))


def _note_packet(note: CaptureNote, number: int) -> bytes:
    if not 0 <= note.time_ns <= _MAX_TIME_NS:
        raise ValueError(f"a note at {note.time_ns} ns cannot be written")
    data = upper_pdu(note)
    body = struct.pack("<5I", number, *divmod(note.time_ns, 2**32), len(data), len(data))
    return _block(_ENHANCED_PACKET, body + _padded(data) + _option(_END_OF_OPTIONS, b""))


def _text_option(code: int, text: str) -> bytes:
    # A lone surrogate (a file name that is not UTF-8) has no UTF-8 form of its own.
    value = text.encode("utf-8", "backslashreplace")[:_MAX_OPTION_BYTES]
    return _option(code, value.decode("utf-8", "ignore").encode())


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<2H", code, len(value)) + _padded(value)


def _padded(value: bytes) -> bytes:
    """The value, padded with zeros to a multiple of four bytes."""
    return value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + _BLOCK_FRAMING_BYTES
    return struct.pack("<2I", kind, length) + body + struct.pack("<I", length)
