"""The frames of a classic pcap file and of its variants.

Nothing here opens a file.
Source: draft-ietf-opsawg-pcap; pcap-savefile(5). The variants are those of Wireshark's reader, as
`editcap -F` writes them: none of them is documented anywhere else.
"""

from __future__ import annotations

import struct

from lab.frozen import frozen
from lab.pcap.capture import BrokenError, Reading, cut_short
from lab.pcap.link_types import MAX_CAPTURED_BYTES, longest_packet
from lab.records import Direction

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from lab.pcap.source import ByteSource


@frozen
class _Variant:
    """What a magic number says of a file."""

    unit_ns: int
    """The nanoseconds of a timestamp's smaller part."""
    record_bytes: tuple[int, ...] = (16,)
    """How long the header of a record may be; where there are several, the records decide."""
    header_bytes: int = 24


_VARIANTS = {
    # 20 bytes: Nokia's. 24: Alexey Kuznetsov's first patch (Red Hat 6.1), with the old magic.
    0xA1B2_C3D4: _Variant(1000, (16, 24, 20)),
    0xA1B2_3C4D: _Variant(1),
    # His later ones, of which that of 1999-09-15 (SuSE 6.3) has 28.
    0xA1B2_CD34: _Variant(1000, (24, 28)),
    # Ixia's lcap: the size of all records follows the header.
    0x1C00_01AC: _Variant(1, header_bytes=28),
    0x1C00_01AB: _Variant(1000, header_bytes=28),
}
"""By the magic number in the byte order of the file."""

MAGICS = {
    struct.pack(order + "I", magic): (order, variant)
    for magic, variant in _VARIANTS.items()
    for order in "<>"
}
"""By the first four bytes: struct's byte order, and the variant."""

FIXED_BYTES = 16
"""Of a record's header: its time and its two lengths, the same in every variant."""

_FIXED = {order: struct.Struct(order + "4I") for order in "<>"}

POINT = "if0"
"""What the one point is called at which a file's packets were captured."""

_RECORDS_TRIED = 3
_TRIED_BYTES = 1 << 16

_MODIFIED_BYTES = (24, 28)
_LINUX_FIELDS = {order: struct.Struct(order + "I2xB") for order in "<>"}
"""What Kuznetsov's patches add to a record's header: interface, Ethernet type, packet type."""

_MOST_INTERFACES = 10_000
_LAST_PACKET_TYPE = 4
"""PACKET_OUTGOING, of those that packet(7) lists."""

_DG_UX = 543
"""The major version that DG/UX's tcpdump writes, with lengths as before 2.3."""

_AIX_LINK_NUMBERS = {6: 1, 9: 6, 15: 10, 24: 0}
"""AIX writes version 2.2, RFC 1573's interface types, and nanoseconds: by them, link types."""

_FCS_PRESENT = 0x0400_0000
_RESERVED = 0x0BFF_0000


@frozen
class FileHeader:
    """What the file's header says of its records."""

    order: str
    unit_ns: int
    link_number: int
    fcs_bytes: int
    is_standard: bool
    """Whether the magic number is the one of most files, which some variants have as well."""
    lengths_swapped: bool
    """Whether the length on the wire may come first: it did before 2.3, and 2.3 had both ways."""

    @property
    def fixed(self) -> struct.Struct:
        """What the header of a record begins with: its time and its two lengths."""
        return _FIXED[self.order]

    @property
    def longest(self) -> int:
        """How many bytes of a packet may have been captured."""
        return longest_packet(self.link_number)


def is_pcap(first: bytes) -> bool:
    """Whether a file that begins with these bytes is a pcap file or a variant of it."""
    return first[:4] in MAGICS


def without_fcs(data: bytes, original: int, fcs_bytes: int) -> tuple[bytes, int]:
    """The captured bytes and the length on the wire, both without the frame check sequence.

    An `original` length below what was captured is raised to it, as the formats' drafts allow:
    at least that much was on the wire.
    """
    wire_bytes = max(len(data), original) - fcs_bytes
    return data[: max(wire_bytes, 0)], max(wire_bytes, 0)


def read_pcap(source: ByteSource, reading: Reading) -> None:
    """Take the packets of a pcap file, at point "if0".

    Either byte order, micro- or nanoseconds. A frame check sequence is removed if the file's
    header announces one. What the variants add to a record's header is not read.

    Raises BrokenError where the bytes end inside the header or a record, or give an impossible
    length. Source: draft-ietf-opsawg-pcap, "File Header" and "Packet Record".
    """
    order, variant = MAGICS[source.peek(4)]
    header = read_header(source, order, variant)
    record_bytes = record_bytes_of(source, header, variant)
    while take_record(source, header, record_bytes, reading):
        pass


def take_record(
    source: ByteSource, header: FileHeader, record_bytes: int, reading: Reading
) -> bool:
    """Take the next packet; False where there is none. Raises BrokenError."""
    head = source.take(record_bytes)
    if not head:
        return False
    reading.packets += 1
    try:
        _take_rest(source, header, head, record_bytes, reading)
    except BrokenError as error:
        error.place = f"packet {reading.packets}"
        raise
    return True


def _take_rest(
    source: ByteSource, header: FileHeader, head: bytes, record_bytes: int, reading: Reading
) -> None:
    offset = source.offset - len(head)
    if len(head) < record_bytes:
        raise cut_short(offset, "a record header", record_bytes, len(head))
    seconds, units, captured, original = header.fixed.unpack_from(head)
    if header.lengths_swapped and captured > original:
        captured, original = original, captured
    if captured > header.longest:
        raise impossible_length(offset, captured, header.longest)
    data = source.take(captured)
    if len(data) < captured:
        raise cut_short(offset, "a packet record", captured, len(data))
    data, wire_bytes = without_fcs(data, original, header.fcs_bytes)
    time_ns = seconds * 1_000_000_000 + units * header.unit_ns
    reading.add(time_ns, POINT, Direction.UNKNOWN, data, wire_bytes, header.link_number)


def impossible_length(offset: int, captured: int, longest: int) -> BrokenError:
    """The error for a captured length beyond the longest that there is."""
    return BrokenError(
        offset,
        f"a packet claims {captured} captured bytes, more than the {longest} a capture can "
        "hold; the file is damaged",
    )


def read_header(source: ByteSource, order: str, variant: _Variant) -> FileHeader:
    """The header of a file, which is taken. Raises BrokenError."""
    data = source.take(variant.header_bytes)
    if len(data) < variant.header_bytes:
        raise cut_short(0, "a pcap file header", variant.header_bytes, len(data))
    major, minor = struct.unpack_from(order + "2H", data, 4)
    if major not in (2, _DG_UX):
        raise BrokenError(4, f"pcap version {major}.{minor} is not supported (2.x is)")
    (link,) = struct.unpack_from(order + "I", data, 20)
    if link & _RESERVED:
        raise BrokenError(20, f"the link type field {link:#010x} sets reserved bits")
    fcs_bytes = 2 * (link >> 28) if link & _FCS_PRESENT else 0
    number, unit_ns = link & 0xFFFF, variant.unit_ns
    if (major, minor) == (2, 2) and number in _AIX_LINK_NUMBERS:
        number, unit_ns = _AIX_LINK_NUMBERS[number], 1
    is_standard = variant.record_bytes[0] == FIXED_BYTES
    lengths_swapped = major == _DG_UX or minor < 4
    return FileHeader(order, unit_ns, number, fcs_bytes, is_standard, lengths_swapped)


def record_bytes_of(source: ByteSource, header: FileHeader, variant: _Variant) -> int:
    """How long the records' headers are: as long as makes sense of the most of the first records.

    Where that leaves it open, the first of the variant's lengths is the one.
    """
    if len(variant.record_bytes) == 1 or header.lengths_swapped:
        return variant.record_bytes[0]
    data = source.peek(_TRIED_BYTES)
    sense = {size: _sense(data, header, size) for size in variant.record_bytes}
    return max(variant.record_bytes, key=lambda size: sense[size])


def _sense(data: bytes, header: FileHeader, record_bytes: int) -> tuple[int, bool]:
    """How many of the first records make sense, and whether the last of them ends the data.

    A single record with a longer header also ends where that of a standard file is cut four or
    eight bytes behind it: it has to name an interface, too.
    """
    at = count = interface = 0
    while count < _RECORDS_TRIED and at + record_bytes <= len(data):
        _, units, captured, original = header.fixed.unpack_from(data, at)
        if units >= 1_000_000 or captured > original or original > MAX_CAPTURED_BYTES:
            break
        if record_bytes in _MODIFIED_BYTES:
            interface, packet_type = _LINUX_FIELDS[header.order].unpack_from(data, at + FIXED_BYTES)
            if interface > _MOST_INTERFACES or packet_type > _LAST_PACKET_TYPE:
                break
        if at + record_bytes + captured > len(data):
            break
        at += record_bytes + captured
        count += 1
    is_sure = count > 1 or record_bytes == FIXED_BYTES or interface > 0 or not header.is_standard
    return count, is_sure and at == len(data)
