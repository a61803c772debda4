"""Blocks of a TPACKET_V3 ring, made from frames as the kernel makes them."""

from __future__ import annotations

import struct
from typing import NamedTuple

HEADER_BYTES = 48
MAC_OFFSET = 82  # of Ethernet frames, on Linux 6.18
OUTGOING = 4
VLAN_VALID, TPID_VALID = 0x10, 0x40


class Laid(NamedTuple):
    """A frame as it is to lie in a block."""

    data: bytes
    time_ns: int = 0
    wire_bytes: int | None = None
    is_outgoing: bool = False
    tag: tuple[int, int] | None = None
    """TPID and TCI that the kernel has taken out."""


def block(*frames: Laid, sequence: int = 1, mac_offset: int = MAC_OFFSET) -> bytes:
    """The used bytes of a block with these frames. Source: linux/if_packet.h."""
    body = b""
    for place, frame in enumerate(frames):
        size = -(-(mac_offset + len(frame.data)) // 8) * 8
        seconds, nanoseconds = divmod(frame.time_ns, 1_000_000_000)
        length = len(frame.data) if frame.wire_bytes is None else frame.wire_bytes
        status = 1 | (VLAN_VALID | TPID_VALID if frame.tag else 0)
        tpid, tci = frame.tag or (0, 0)
        header = struct.pack(
            "=IIIIIIHHIIHH8x",
            0 if place == len(frames) - 1 else size,
            seconds,
            nanoseconds,
            len(frame.data),
            length,
            status,
            mac_offset,
            mac_offset + 14,
            0,
            tci,
            tpid,
            0,
        )
        address = struct.pack("=HHiHBB8x", 17, 0, 1, 1, OUTGOING if frame.is_outgoing else 0, 6)
        body += ((header + address).ljust(mac_offset, b"\0") + frame.data).ljust(size, b"\0")
    head = struct.pack("=IIIIIIQ", 1, 48, 1, len(frames), HEADER_BYTES, 48 + len(body), sequence)
    return head.ljust(HEADER_BYTES, b"\0") + body
