"""Lists that the kernel gives by rtnetlink(7), and the attributes of their messages."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

from lab.kernel.network.netlink import NLM_F_DUMP, NLM_F_REQUEST, dump

HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence number, port."""
_ATTRIBUTE = struct.Struct("=HH")


def dumped(kind: int, body: bytes) -> Iterator[bytes]:
    """The messages of a list of the entered namespace, with their headers. Raises OSError."""
    flags = NLM_F_REQUEST | NLM_F_DUMP
    return dump(
        socket.NETLINK_ROUTE, HEADER.pack(HEADER.size + len(body), kind, flags, 0, 0) + body
    )


def attributes(message: bytes, body_bytes: int) -> Iterator[tuple[int, bytes]]:
    """The attributes behind a message's header and its body of so many bytes, by their numbers."""
    yield from nested(message[HEADER.size + (body_bytes + 3 & ~3) :])


def nested(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes that an attribute's data consists of, by their numbers."""
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        yield kind, data[offset + _ATTRIBUTE.size : offset + length]
        offset += max(length, _ATTRIBUTE.size) + 3 & ~3
