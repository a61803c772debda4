"""The frames of a classic pcap file, and the limits that both capture formats share.

Bytes in, values out: nothing here opens a file.
Source: draft-ietf-opsawg-pcap; pcap-savefile(5).
"""

from __future__ import annotations

import struct

from lab.errors import CaptureFileError
from lab.records import Direction, Frame, LinkType

MAX_CAPTURED_BYTES = 262_144
"""The longest packet a file may hold: libpcap's MAXIMUM_SNAPLEN. More is a damaged length."""

UPPER_PDU = 252
"""LINKTYPE_WIRESHARK_UPPER_PDU: notes beside the frames, not frames."""

# 12 and 14 are Linux's and OpenBSD's numbers of DLT_RAW; files have them if a writer did not
# map DLT_ to LINKTYPE_ values.
LINK_TYPES: dict[int, LinkType] = {
    12: LinkType.RAW,
    14: LinkType.RAW,
    **{link_type.value: link_type for link_type in LinkType},
}
"""The link types the lab dissects, by the number a file gives."""

_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
"""By the first four bytes: struct's byte order, and the nanoseconds of a timestamp's unit."""

_HEADER_BYTES = 24
_RECORD_HEADER_BYTES = 16
_FCS_PRESENT = 0x0400_0000
_RESERVED = 0x0BFF_0000


def unreadable(name: str, offset: int, what: str) -> CaptureFileError:
    """The error for a capture file that is wrong at byte `offset`."""
    return CaptureFileError(f"cannot read {name}: at byte {offset}: {what}")


def cut_short(name: str, offset: int, what: str, needed: int, left: int) -> CaptureFileError:
    """The error for a file that ends inside the `what` at `offset`, with `left` bytes of it."""
    return unreadable(
        name,
        offset,
        f"the file ends inside a {what}: bytes needed: {needed}, left: {left}; "
        f"`editcap` can copy the whole packets before it",
    )


def not_a_capture(name: str, data: bytes) -> CaptureFileError:
    """The error for a file that begins with none of the formats' magic numbers."""
    if not data:
        return unreadable(name, 0, "the file is empty")
    first = data[:8].hex(" ")
    return unreadable(name, 0, f"not a pcap or pcapng capture: its first bytes are {first}")


def unsupported_link_type(name: str, offset: int, number: int) -> CaptureFileError:
    """The error for a packet whose link type the lab does not dissect."""
    known = ", ".join(f"{link_type.name} {link_type.value}" for link_type in LinkType)
    return unreadable(
        name, offset, f"a packet of link type {number}, which is not supported ({known} are)"
    )


def without_fcs(data: bytes, original: int, fcs_bytes: int) -> tuple[bytes, int]:
    """The captured bytes and the length on the wire, both without the frame check sequence.

    An `original` length below what was captured is raised to it, as the formats' drafts allow:
    at least that much was on the wire.
    """
    wire_bytes = max(len(data), original) - fcs_bytes
    return data[: max(wire_bytes, 0)], max(wire_bytes, 0)


def parse_pcap(data: bytes, name: str) -> tuple[Frame, ...]:
    """The frames of a pcap file, in file order, at point "if0".

    Either byte order, micro- or nanosecond timestamps. A frame check sequence is removed if the
    file header announces one. Records of link type UPPER_PDU are left out.

    `name` is the file's name in messages.
    Raises CaptureFileError if the bytes are no pcap file, end inside the header or a record,
    give an impossible length, or hold a packet of an unsupported link type.
    Source: draft-ietf-opsawg-pcap, "File Header" and "Packet Record".
    """
    order, unit_ns = _MAGICS.get(data[:4], ("", 0))
    if not order:
        raise not_a_capture(name, data)
    minor, link_number, fcs_bytes = _parse_header(data, name, order)
    record_header = struct.Struct(order + "4I")
    link_type = LINK_TYPES.get(link_number)
    frames: list[Frame] = []
    offset = _HEADER_BYTES
    while offset < len(data):
        start = offset + _RECORD_HEADER_BYTES
        if start > len(data):
            left = len(data) - offset
            raise cut_short(name, offset, "record header", _RECORD_HEADER_BYTES, left)
        seconds, units, captured, original = record_header.unpack_from(data, offset)
        if minor < 4 and captured > original:
            # Versions before 2.4 had these two the other way round; 2.3 had both ways.
            captured, original = original, captured
        end = start + captured
        if captured > MAX_CAPTURED_BYTES or end > len(data):
            raise _bad_length(name, offset, captured, len(data) - start)
        if link_type is not None:
            packet, wire_bytes = without_fcs(data[start:end], original, fcs_bytes)
            time_ns = seconds * 1_000_000_000 + units * unit_ns
            frames.append(Frame(time_ns, "if0", Direction.UNKNOWN, packet, wire_bytes, link_type))
        elif link_number != UPPER_PDU:
            raise unsupported_link_type(name, offset, link_number)
        offset = end
    return tuple(frames)


def _parse_header(data: bytes, name: str, order: str) -> tuple[int, int, int]:
    """The minor version, the link type's number and the FCS length in bytes."""
    if len(data) < _HEADER_BYTES:
        raise cut_short(name, 0, "pcap file header", _HEADER_BYTES, len(data))
    major, minor = struct.unpack_from(order + "2H", data, 4)
    if major != 2:
        raise unreadable(name, 4, f"pcap version {major}.{minor} is not supported (2.x is)")
    (link,) = struct.unpack_from(order + "I", data, 20)
    if link & _RESERVED:
        raise unreadable(name, 20, f"the link type field {link:#010x} sets reserved bits")
    fcs_bytes = 2 * (link >> 28) if link & _FCS_PRESENT else 0
    return minor, link & 0xFFFF, fcs_bytes


def _bad_length(name: str, offset: int, captured: int, left: int) -> CaptureFileError:
    """The error for a record whose captured length is impossible or runs past the file."""
    if captured > MAX_CAPTURED_BYTES:
        return impossible_length(name, offset, captured)
    return cut_short(name, offset, "packet record", captured, left)


def impossible_length(name: str, offset: int, captured: int) -> CaptureFileError:
    """The error for a captured length beyond MAX_CAPTURED_BYTES."""
    return unreadable(
        name,
        offset,
        f"a packet claims {captured} captured bytes, more than the {MAX_CAPTURED_BYTES} "
        f"a capture can hold; the file is damaged",
    )
