"""Frames to the bytes of a pcapng file.

Times are written in nanoseconds, so that what is read back equals what was observed.
Source: draft-ietf-opsawg-pcapng; sections are named after its headings.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from operator import itemgetter

from lab.frozen import frozen
from lab.pcap.link_types import MAX_CAPTURED_BYTES, UPPER_PDU
from lab.pcap.pcapng_numbers import (
    COMMENT,
    DECRYPTION_SECRETS,
    END_OF_NAMES,
    END_OF_OPTIONS,
    ENHANCED_PACKET,
    FRAMING_BYTES,
    IF_NAME,
    IF_TIMESTAMP_RESOLUTION,
    INTERFACE_DESCRIPTION,
    IPV4_NAMES,
    IPV6_NAMES,
    NAME_RESOLUTION,
    PACKET_FLAGS,
    SECTION_HEADER,
    SHB_USER_APPLICATION,
    TLS_KEY_LOG,
)
from lab.pcap.upper_pdu import CaptureNote, Message, upper_pdu
from lab.records import DIRECTIONS, Frame, LinkType, StoredFrames
from lab.records.stored_frames import origins_of

TYPE_CHECKING = False  # importing typing itself costs some 3 ms of every start
if TYPE_CHECKING:
    from typing import BinaryIO

_PACKET_HEAD = struct.Struct("<7I")
"""What comes before a frame's bytes: the block's kind and length, the interface's number, the time
in two halves, the captured and the wire length."""
_MAX_OPTION_BYTES = 65_535
_MAX_TIME_NS = 2**64 - 1


@frozen
class HostName:
    """The name of the host that has an address."""

    address: IPv4Address | IPv6Address
    name: str


def write_pcapng(
    file: BinaryIO,
    points: Sequence[str],
    frames: Sequence[Frame],
    comments: Mapping[int, str],
    application: str,
    notes: Sequence[CaptureNote | Message] = (),
    hosts: Sequence[HostName] = (),
    key_logs: Sequence[str] = (),
    remark: str = "",
) -> None:
    """Write `frames`, in their order, as one little-endian section.

    Each point becomes an interface of that name, in the order of `points`, with times in
    nanoseconds and no length limit; a point with frames of several link types becomes one
    interface for each. `comments` are by the frame's index; they are written as UTF-8, cut
    between characters to the 65,535 bytes that an option holds. `application` is recorded as
    the writer (`shb_userappl`). `notes`, and messages, in order of time, are written before the
    first later frame; their interfaces follow those of the points. `hosts`, if any,
    are in a Name Resolution Block before the first packet, each of `key_logs` in a Decryption
    Secrets Block. `remark`, if any, is about the file as a whole. The same arguments give the same
    bytes.

    Raises ValueError if a frame's point is not in `points`, its data is longer than
    MAX_CAPTURED_BYTES, or a frame's or note's time does not fit 64 unsigned bits.
    Source: draft-ietf-opsawg-pcapng.
    """
    numbers = _interface_numbers(points, frames)
    # Section length -1: not given.
    section = struct.pack("<I2Hq", 0x1A2B_3C4D, 1, 0, -1)
    section += _text_option(COMMENT, remark) if remark else b""
    section += _text_option(SHB_USER_APPLICATION, application)
    file.write(_block(SECTION_HEADER, section + _option(END_OF_OPTIONS, b"")))
    for point, link_type in numbers:
        file.write(_interface_description(point, link_type))
    note_numbers = {
        name: len(numbers) + place
        for place, name in enumerate(dict.fromkeys(note.interface for note in notes))
    }
    for name in note_numbers:
        file.write(_interface_description(name, UPPER_PDU))
    if hosts:
        file.write(_name_resolution(hosts))
    for key_log in key_logs:
        file.write(_decryption_secrets(key_log))
    if isinstance(frames, StoredFrames):
        seen = _stored_packets(frames, numbers, comments)
    else:
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
    body = struct.pack("<2HI", link_number, 0, 0) + _text_option(IF_NAME, name)
    body += _option(IF_TIMESTAMP_RESOLUTION, b"\x09") + _option(END_OF_OPTIONS, b"")
    return _block(INTERFACE_DESCRIPTION, body)


def _name_resolution(hosts: Sequence[HostName]) -> bytes:
    """Source: "Name Resolution Block"."""
    records = b""
    for host in hosts:
        kind = IPV4_NAMES if host.address.version == 4 else IPV6_NAMES
        # A record has the form of an option: type, length, value, padding.
        records += _option(kind, host.address.packed + host.name.encode() + b"\0")
    return _block(NAME_RESOLUTION, records + _option(END_OF_NAMES, b""))


def _decryption_secrets(key_log: str) -> bytes:
    """Source: "Decryption Secrets Block"."""
    secrets = key_log.encode("utf-8", "backslashreplace")
    head = struct.pack("<2I", TLS_KEY_LOG, len(secrets))
    return _block(DECRYPTION_SECRETS, head + _padded(secrets) + _option(END_OF_OPTIONS, b""))


def _interface_numbers(
    points: Sequence[str], frames: Sequence[Frame]
) -> dict[tuple[str, LinkType], int]:
    """The interface number of each point and link type, in the order to write them."""
    link_types: dict[str, dict[LinkType, None]] = {point: {} for point in points}
    for point, link_type in origins_of(frames):
        if point not in link_types:
            raise ValueError(f"a frame's capture point {point!r} is not in {points!r}")
        link_types[point][link_type] = None
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
    flags = DIRECTIONS.index(frame.direction)
    body += _padded(frame.data) + _option(PACKET_FLAGS, struct.pack("<I", flags))
    if comment is not None:
        body += _text_option(COMMENT, comment)
    return _block(ENHANCED_PACKET, body + _option(END_OF_OPTIONS, b""))


def _stored_packets(
    frames: StoredFrames, numbers: Mapping[tuple[str, LinkType], int], comments: Mapping[int, str]
) -> Iterator[tuple[int, bytes]]:
    """The blocks of frames that are stored, with their times, made without the frames' objects.

    What comes behind the bytes of a frame is the same for all of its length and its way.
    """
    commented = frozenset(comments)
    ends: dict[tuple[int, int], tuple[int, int, bytes]] = {}
    for index, (time_ns, way, wire_bytes, data) in enumerate(frames.raw()):
        end = ends.get((way, len(data)))
        if end is None or not 0 <= time_ns <= _MAX_TIME_NS:
            frame = frames[index]
            number = numbers[_origin(frame)]
            whole = _enhanced_packet(frame, number, None)
            behind = whole[_PACKET_HEAD.size + len(data) :]
            end = ends[way, len(data)] = len(whole), number, behind
        length, number, behind = end
        if index in commented:
            comment = _text_option(COMMENT, comments[index])
            length += len(comment)
            # Before the end of the options, and the length once more.
            behind = behind[:-8] + comment + behind[-8:-4] + struct.pack("<I", length)
        high, low = time_ns >> 32, time_ns & 0xFFFF_FFFF
        head = _PACKET_HEAD.pack(ENHANCED_PACKET, length, number, high, low, len(data), wire_bytes)
        yield time_ns, head + data + behind


def _note_packet(note: CaptureNote | Message, number: int) -> bytes:
    if not 0 <= note.time_ns <= _MAX_TIME_NS:
        raise ValueError(f"a note at {note.time_ns} ns cannot be written")
    data = upper_pdu(note)
    cut = note.length - len(note.data) if isinstance(note, Message) else 0
    body = struct.pack("<5I", number, *divmod(note.time_ns, 2**32), len(data), len(data) + cut)
    comment = _text_option(COMMENT, note.comment) if isinstance(note, Message) else b""
    return _block(ENHANCED_PACKET, body + _padded(data) + comment + _option(END_OF_OPTIONS, b""))


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
    length = len(body) + FRAMING_BYTES
    return struct.pack("<2I", kind, length) + body + struct.pack("<I", length)
