"""A pcapng file of everything that the format has: orders, clocks, blocks, options, padding."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import frame_bytes as fb
import link_bytes as lb

from lab.pcap.pcapng_numbers import (
    ENHANCED_PACKET,
    INTERFACE_DESCRIPTION,
    PACKET,
    SECTION_HEADER,
    SIMPLE_PACKET,
)

NAME_RESOLUTION, STATISTICS, SECRETS, CUSTOM, UNKNOWN = 4, 5, 10, 0x0BAD, 0x0ABC
RESOLUTIONS = (0, 3, 6, 9, 0x80 | 10, 0x80 | 20)
"""if_tsresol: powers of ten, and of two."""

LINKS: dict[int, Callable[[bytes], bytes]] = {
    1: fb.ethernet,
    101: bytes,
    9: lambda packet: lb.PPP + packet,
    228: bytes,
}
"""What makes a frame of an IP packet, by the interface's link type."""


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "2H", code, len(value)) + value + bytes(-len(value) % 4)


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = 12 + len(body)
    return struct.pack(order + "2I", kind, size) + body + struct.pack(order + "I", size)


def interface(order: str, link: int, resolution: int, offset: int) -> bytes:
    options = option(order, 2, b"an interface") + option(order, 9, bytes([resolution]))
    options += option(order, 14, struct.pack(order + "q", offset)) + option(order, 0, b"")
    return block(order, INTERFACE_DESCRIPTION, struct.pack(order + "2HI", link, 0, 0) + options)


def section(order: str, first_port: int) -> Iterator[bytes]:
    """Packets in every kind of block at interfaces of every link type and resolution."""
    comment = option(order, 1, "a comment, ü".encode()) + option(order, 0, b"")
    head = struct.pack(order + "I2Hq", 0x1A2B3C4D, 1, 0, -1)
    yield block(order, SECTION_HEADER, head + comment)
    clocks = [(link, each) for link in LINKS for each in RESOLUTIONS]
    for number, (link, resolution) in enumerate(clocks):
        yield interface(order, link, resolution, number * 1000)
    yield block(
        order, NAME_RESOLUTION, struct.pack(order + "2H", 1, 6) + b"\xc0\0\2\1a\0" + bytes(6)
    )
    yield block(order, SECRETS, struct.pack(order + "2I", 0x544C534B, 3) + b"abc")
    yield block(order, UNKNOWN, b"unknown")
    yield block(order, CUSTOM, struct.pack(order + "I", 32473) + b"whose PEN is for documents")
    for number, (link, resolution) in enumerate(clocks):
        segment = fb.tcp(b"d" * (number % 4), sport=first_port + number)
        frame = LINKS[link](fb.ipv4(segment))
        units = (2 if resolution & 0x80 else 10) ** (resolution & 0x7F)
        time = 1_700_000_000 * units + (number if units > 1 else 0)
        where = (time >> 32, time & 0xFFFF_FFFF, len(frame), len(frame))
        padded = frame + bytes(-len(frame) % 4)
        if number % 3:
            body = struct.pack(order + "5I", number, *where) + padded + comment
            yield block(order, ENHANCED_PACKET, body)
        else:
            yield block(order, PACKET, struct.pack(order + "2H4I", number, 0, *where) + padded)
    frame = LINKS[1](fb.ipv4(fb.tcp(b"simple", sport=first_port + 500)))
    yield block(order, SIMPLE_PACKET, struct.pack(order + "I", len(frame)) + frame)
    yield block(order, ENHANCED_PACKET, struct.pack(order + "5I", *bytes(5)))  # without a byte
    yield block(order, STATISTICS, struct.pack(order + "3I", 0, 0, 0))


def every_block() -> bytes:
    """Three sections, of either byte order."""
    orders = ("<", ">", "<")
    return b"".join(
        each for n, order in enumerate(orders) for each in section(order, 20000 + 1000 * n)
    )
