"""Frames dissected, by what is in them."""

from __future__ import annotations

from typing import Any

import frame_bytes as fb

from lab.analysis.packets.dissect import dissect
from lab.analysis.packets.packet import (
    Malformed,
    Packet,
)
from lab.records import Direction, Frame, LinkType

DATA = b"hello world!"
ROUTE_TO_NEXT = bytes.fromhex("0602000100000000")


def packet(
    data: bytes, link: LinkType = LinkType.ETHERNET, wire_bytes: int | None = None
) -> Packet:
    size = len(data) if wire_bytes is None else wire_bytes
    return dissect(Frame(1, "client/eth0", Direction.OUT, data, size, link))


def names(given: Packet) -> list[str]:
    return [type(layer).__name__ for layer in given.layers]


def over_ipv4(payload: bytes, **fields: Any) -> Packet:
    return packet(fb.ethernet(fb.ipv4(payload, **fields)))


def over_ipv6(payload: bytes, next_header: int = 6, **fields: Any) -> Packet:
    return packet(fb.ethernet(fb.ipv6(payload, next_header, **fields), fb.IPV6))


def malformed(given: Packet) -> Malformed:
    assert given.malformed is not None, given.layers
    return given.malformed
