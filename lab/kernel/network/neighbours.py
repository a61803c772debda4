"""Which neighbours' hardware addresses a host knows.

Source: rtnetlink(7), RTM_GETNEIGH; include/uapi/linux/neighbour.h.
"""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

from lab.errors import KernelRefused
from lab.kernel.network.netlink import NLM_F_DUMP, NLM_F_REQUEST, dump

RTM_GETNEIGH = 30
NDA_DST = 1
NUD_NOARP = 0x40  # of multicast and loopback addresses, which need no asking
_HEADER = struct.Struct("=IHHII")
_NEIGHBOUR = struct.Struct("=BxxxiHBB")  # struct ndmsg: family, interface, state, flags, type
_ATTRIBUTE = struct.Struct("=HH")


def read_neighbours() -> list[tuple[int, IPv4Address | IPv6Address]]:
    """The neighbours of the entered namespace, by interface index and address.

    Raises KernelRefused.
    """
    body = _NEIGHBOUR.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    flags = NLM_F_REQUEST | NLM_F_DUMP
    request = _HEADER.pack(_HEADER.size + len(body), RTM_GETNEIGH, flags, 0, 0) + body
    try:
        messages = list(dump(socket.NETLINK_ROUTE, request))
    except OSError as error:
        raise KernelRefused(f"cannot list neighbours: {error.strerror}") from error
    found: list[tuple[int, IPv4Address | IPv6Address]] = []
    for message in messages:
        family, index, state, _, _ = _NEIGHBOUR.unpack_from(message, _HEADER.size)
        if family not in (socket.AF_INET, socket.AF_INET6) or state & NUD_NOARP:
            continue
        offset = _HEADER.size + _NEIGHBOUR.size
        while offset + _ATTRIBUTE.size <= len(message):
            length, kind = _ATTRIBUTE.unpack_from(message, offset)
            if kind == NDA_DST:
                data = message[offset + _ATTRIBUTE.size : offset + length]
                found.append((index, ip_address(data)))
            offset += max(length, _ATTRIBUTE.size) + 3 & ~3
    return found
