"""Lists that the kernel gives by netlink(7), and the attributes of their messages."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator

NLM_F_REQUEST = 0x1
NLM_F_DUMP = 0x300
NLMSG_ERROR = 2
NLMSG_DONE = 3
NO_DIAG = frozenset({errno.EPROTONOSUPPORT, errno.ENOENT})
"""Errors of sock_diag(7) requests where the kernel lacks it, or lacks it for a kind of socket."""
HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence number, port."""
_ATTRIBUTE = struct.Struct("=HH")
_ERROR = struct.Struct("=i")


def dump(protocol: int, request: bytes) -> Iterator[bytes]:
    """The messages that answer a request for a dump. Raises OSError. Source: netlink(7)."""
    raw = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_NETLINK, raw, protocol) as netlink:
        netlink.send(request)
        while True:
            data = netlink.recv(1 << 16)
            offset = 0
            while offset < len(data):
                length, kind, _, _, _ = HEADER.unpack_from(data, offset)
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    (code,) = _ERROR.unpack_from(data, offset + HEADER.size)
                    if code < 0:
                        raise OSError(-code, os.strerror(-code))
                    return
                yield data[offset : offset + length]
                offset += length + 3 & ~3


def dumped(kind: int, body: bytes) -> Iterator[bytes]:
    """The messages of a list by rtnetlink(7) of the entered namespace. Raises OSError."""
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
