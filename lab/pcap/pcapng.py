"""The frames of a pcapng file.

Nothing here opens a file.
Source: draft-ietf-opsawg-pcapng; sections are named after its headings.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.frozen import frozen
from lab.pcap.capture import BrokenError, Reading, cut_short
from lab.pcap.classic import impossible_length, without_fcs
from lab.pcap.link_types import longest_packet
from lab.pcap.pcapng_numbers import (
    END_OF_OPTIONS,
    ENHANCED_PACKET,
    FRAMING_BYTES,
    IF_NAME,
    IF_TIMESTAMP_OFFSET,
    IF_TIMESTAMP_RESOLUTION,
    INTERFACE_DESCRIPTION,
    PACKET,
    PACKET_FLAGS,
    SECTION_HEADER,
    SIMPLE_PACKET,
)
from lab.records import DIRECTIONS, Direction

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from lab.pcap.source import ByteSource

MAGIC = b"\x0a\x0d\x0d\x0a"
"""The type of a Section Header Block, the same in either byte order."""

_BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}

_PACKET_LAYOUTS = {ENHANCED_PACKET: "5I", PACKET: "2H4I"}
"""The 20 bytes before the packet: interface, drops (PACKET only), the time's halves, captured
and original length."""

_NAMES = {
    SECTION_HEADER: "a Section Header Block",
    INTERFACE_DESCRIPTION: "an Interface Description Block",
    PACKET: "a Packet Block",
    SIMPLE_PACKET: "a Simple Packet Block",
    ENHANCED_PACKET: "an Enhanced Packet Block",
}

_PACKETS = frozenset((ENHANCED_PACKET, PACKET, SIMPLE_PACKET))


@frozen
class CaptureInterface:
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

    offset: int
    order: str
    kind: int
    body: bytes

    def error(self, what: str) -> BrokenError:
        return BrokenError(self.offset, f"{_called(self.kind)} {what}")

    def unpack(self, layout: str, at: int) -> tuple[int, ...]:
        """The numbers at `at` in the body, in the section's byte order."""
        layout = self.order + layout
        if at + struct.calcsize(layout) > len(self.body):
            raise self.error(f"has a length of {len(self.body) + 12}: too short for its fields")
        return struct.unpack_from(layout, self.body, at)


def read_pcapng(source: ByteSource, reading: Reading) -> None:
    """Take the packets of a pcapng file.

    There may be any number of sections, of either byte order, and of interfaces. `if_tsresol`,
    in powers of 10 or of 2, and `if_tsoffset` are applied. A frame's point is its interface's
    `if_name`, or "if" and the interface's number in its section. A Simple Packet Block has no
    time. An FCS is removed if `epb_flags` announces it; `if_fcslen` is ignored, because the
    draft says that it counts bits and shows octets. Blocks of other types are skipped.

    Raises BrokenError where the bytes end inside a block or contradict themselves.
    Source: draft-ietf-opsawg-pcapng, "General Block Structure" and "Block Definition".
    """
    sections = Sections(reading)
    while sections.take_block(source):
        pass


class Sections:
    """What is known of a file's sections up to a block, and the taking of the next one."""

    def __init__(self, reading: Reading) -> None:
        self.interfaces: list[CaptureInterface] = []
        """Of the section that is being read."""
        self.order = ""
        """Its byte order, as struct has it."""
        self.blocks = 0
        """How many there were so far."""
        self._reading = reading

    def take_block(self, source: ByteSource) -> bool:
        """Take the next block; False where there is none. Raises BrokenError."""
        head = source.peek(FRAMING_BYTES)
        if not head:
            return False
        reading = self._reading
        self.blocks += 1
        before = reading.packets
        try:
            if head.startswith(MAGIC):
                self.order = _byte_order(head, source.offset)
            _take(_block(source, head, self.order, reading), self.interfaces, reading)
        except BrokenError as error:
            is_packet = reading.packets > before
            packet = f"packet {reading.packets}" if is_packet else f"after packet {before}"
            error.place = f"block {self.blocks}" + (f", {packet}" if reading.packets else "")
            raise
        return True


def _take(block: _Block, interfaces: list[CaptureInterface], reading: Reading) -> None:
    if block.kind in _PACKET_LAYOUTS:
        _take_packet(block, interfaces, reading)
    elif block.kind == SIMPLE_PACKET:
        _take_simple_packet(block, interfaces, reading)
    elif block.kind == INTERFACE_DESCRIPTION:
        interfaces.append(_parse_interface(block, len(interfaces)))
    elif block.kind == SECTION_HEADER:
        _check_section_header(block)
        interfaces.clear()


def _block(source: ByteSource, head: bytes, order: str, reading: Reading) -> _Block:
    """The next block, which begins with `head`, after a check of its two lengths."""
    offset = source.offset
    if len(head) < FRAMING_BYTES:
        raise cut_short(offset, "a block header", FRAMING_BYTES, len(head))
    kind, length = struct.unpack_from(order + "2I", head)
    reading.packets += kind in _PACKETS
    if length < FRAMING_BYTES or length % 4:
        raise BrokenError(offset, f"{_called(kind)} has the impossible length {length}")
    data = source.take(length)
    if len(data) < length:
        raise cut_short(offset, _called(kind), length, len(data))
    (repeated,) = struct.unpack_from(order + "I", data, length - 4)
    if repeated != length:
        raise BrokenError(
            offset, f"{_called(kind)} gives its length as {length}, then as {repeated}"
        )
    return _Block(offset, order, kind, data[8:-4])


def _called(kind: int) -> str:
    """How messages call a block of that type."""
    return _NAMES.get(kind) or f"a block of type {kind:#x}"


def _byte_order(head: bytes, offset: int) -> str:
    """The byte order of the section that begins with `head`, as a struct format character."""
    magic = head[8:]
    if len(magic) == 4 and magic not in _BYTE_ORDERS:
        raise BrokenError(offset + 8, f"a section's byte-order magic is {magic.hex(' ')}")
    return _BYTE_ORDERS.get(magic, "")


def _check_section_header(block: _Block) -> None:
    # The section length that follows the versions is only for skipping, and may be -1.
    _magic, major, minor, _length_high, _length_low = block.unpack("I2H2I", 0)
    if major != 1:
        raise block.error(f"is of version {major}.{minor}, which is not supported (1.x is)")


def _parse_interface(block: _Block, number: int) -> CaptureInterface:
    """The values of an Interface Description Block; `number` counts from 0 in its section."""
    link_number, _reserved, snap_bytes = block.unpack("2HI", 0)
    options = _options(block, 8)
    resolution = _option_number(block, options, IF_TIMESTAMP_RESOLUTION, "B", 6)
    # "Options": a zero octet ends a string, though none need be there.
    name = options.get(IF_NAME, b"").partition(b"\0")[0].decode("utf-8", "replace")
    return CaptureInterface(
        name=name or f"if{number}",
        link_number=link_number,
        snap_bytes=snap_bytes,
        units_per_second=(2 if resolution & 0x80 else 10) ** (resolution & 0x7F),
        offset_seconds=_option_number(block, options, IF_TIMESTAMP_OFFSET, "q", 0),
    )


def _interface(
    block: _Block, interfaces: Sequence[CaptureInterface], number: int
) -> CaptureInterface:
    if number >= len(interfaces):
        raise block.error(f"belongs to interface {number}, of which its section says nothing")
    return interfaces[number]


def _take_packet(block: _Block, interfaces: Sequence[CaptureInterface], reading: Reading) -> None:
    """Take what an Enhanced Packet Block or an obsolete Packet Block holds."""
    number, *_drops, high, low, captured, original = block.unpack(_PACKET_LAYOUTS[block.kind], 0)
    interface = _interface(block, interfaces, number)
    data = _captured(block, interface, 20, captured)
    options = _options(block, 20 + captured + -captured % 4)
    flags = _option_number(block, options, PACKET_FLAGS, "I", 0)
    data, wire_bytes = without_fcs(data, original, flags >> 5 & 0xF)
    time_ns = interface.time_ns(high << 32 | low)
    direction = DIRECTIONS[flags & 3]
    reading.add(time_ns, interface.name, direction, data, wire_bytes, interface.link_number)


def _take_simple_packet(
    block: _Block, interfaces: Sequence[CaptureInterface], reading: Reading
) -> None:
    """Take what a Simple Packet Block holds, which is the first interface's and has no time."""
    interface = _interface(block, interfaces, 0)
    (original,) = block.unpack("I", 0)
    data = _captured(block, interface, 4, min(original, interface.snap_bytes or original))
    reading.add(None, interface.name, Direction.UNKNOWN, data, original, interface.link_number)


def _captured(block: _Block, interface: CaptureInterface, at: int, captured: int) -> bytes:
    """The packet's bytes, which begin at `at` in the body."""
    longest = longest_packet(interface.link_number)
    if captured > longest:
        raise impossible_length(block.offset, captured, longest)
    data = block.body[at : at + captured]
    if len(data) < captured:
        raise block.error(f"holds {len(data)} bytes of a packet of {captured} captured bytes")
    return data


def _options(block: _Block, at: int) -> dict[int, bytes]:
    """The first value of each option from `at` in the body on, by the option's code."""
    options: dict[int, bytes] = {}
    while at < len(block.body):
        code, length = block.unpack("2H", at)
        if code == END_OF_OPTIONS:
            break
        value = block.body[at + 4 : at + 4 + length]
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
