"""What flows and connections need of a plain frame of TCP or UDP, without a packet's objects.

A run of half a million frames looks at most of them for these few numbers alone, and a packet takes
several times as long to make. Of what is not plain nothing is said here: see
lab.analysis.plain.decode, with which this has to agree.

Source: RFC 791, 3.1; RFC 8200, 3; RFC 9293, 3.1; RFC 768.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from lab.internet.checksum import checksum_holds, pseudo_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.analysis.packets.packet import TcpOption

_LEAST_BYTES = 42
"""Of Ethernet, IPv4 and UDP."""
_IPV4_BEGIN, _IPV4_END, _IPV6_END = 14, 34, 54
_TCP, _UDP = 6, 17
_TCP_BYTES, _UDP_BYTES = 20, 8
_STAMPED_BYTES = 32
_SACK = 5

_TCP_NUMBERS = struct.Struct("!4xIIHH")
_UDP_NUMBERS = struct.Struct("!4xHH")
_PADDED_TIMESTAMPS = b"\x01\x01\x08\x0a"
"""What RFC 7323, appendix A, recommends before the two values."""


class PlainHead(NamedTuple):
    """A plain frame's numbers; those of TCP are 0 in UDP."""

    ends: bytes
    """Protocol, source and destination address, and both ports, as they are in the headers."""
    right_checksums: int
    """How many it has: IPv6 has none of its own. 0 of a frame that was cut behind its headers."""
    begin: int
    """Where in the frame the payload begins."""
    length: int
    """The payload's bytes, also those that were cut off."""
    seq: int
    ack: int
    flags: int
    """12 bits."""
    window: int
    """As it is in the header."""
    has_sack: bool
    """Whether it has SACK blocks (RFC 2018, 3)."""


def plain_head(
    data: bytes,
    wire_bytes: int,
    options: Callable[[bytes], tuple[TcpOption, ...] | None],
) -> PlainHead | None:
    """Of an Ethernet frame; None where it is not plain.

    `options` reads those of a TCP header, and gives None where any is not as its kind has it.
    """
    captured = len(data)
    if not _LEAST_BYTES <= captured <= wire_bytes:
        return None
    if data[12:15] == b"\x08\0\x45":
        is_fragment = data[20] & 0xBF or data[21]
        if is_fragment or not checksum_holds(data[_IPV4_BEGIN:_IPV4_END]):
            return None
        at, protocol, right = _IPV4_END, data[23], 2
        end = _IPV4_BEGIN + (data[16] << 8 | data[17])
        addresses, ends = data[26:34], data[23:24] + data[26:38]
    elif data[12:14] == b"\x86\xdd" and data[14] >> 4 == 6 and captured >= 62:
        at, protocol, right = _IPV6_END, data[20], 1
        end = at + (data[18] << 8 | data[19])
        addresses, ends = data[22:54], data[20:21] + data[22:58]
    else:
        return None
    size = end - at
    if end > wire_bytes or protocol not in (_TCP, _UDP):
        return None
    has_sack, known = False, min(end, captured)
    if protocol == _UDP:
        if known - at < _UDP_BYTES:
            return None
        length, checksum = _UDP_NUMBERS.unpack_from(data, at)
        seq = ack = bits = window = 0
        begin = at + _UDP_BYTES
        if length != size or not checksum:
            return None
    else:
        if known - at < _TCP_BYTES:
            return None
        seq, ack, bits, window = _TCP_NUMBERS.unpack_from(data, at)
        header_bytes = bits >> 12 << 2
        begin = at + header_bytes
        if header_bytes < _TCP_BYTES or begin > known:
            return None
        is_usual = header_bytes == _TCP_BYTES or (
            header_bytes == _STAMPED_BYTES and data[at + 20 : at + 24] == _PADDED_TIMESTAMPS
        )
        if not is_usual:
            found = options(data[at + _TCP_BYTES : begin])
            if found is None:
                return None
            has_sack = any(each.kind == _SACK for each in found)
    if captured < wire_bytes:
        right = 0
    if known == end and not checksum_holds(pseudo_header(addresses, protocol, size) + data[at:end]):
        return None
    return PlainHead(ends, right, begin, end - begin, seq, ack, bits & 0xFFF, window, has_sack)
