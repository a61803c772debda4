"""Which neighbours' hardware addresses a host knows.

Source: rtnetlink(7), RTM_GETNEIGH; include/uapi/linux/neighbour.h.
"""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

from lab.errors import KernelRefused
from lab.kernel.netlink.dumps import HEADER, attributes, dumped

RTM_GETNEIGH = 30
NDA_DST = 1
NUD_NOARP = 0x40  # of multicast and loopback addresses, which need no asking
_NEIGHBOUR = struct.Struct("=BxxxiHBB")  # struct ndmsg: family, interface, state, flags, type


def read_neighbours() -> list[tuple[int, IPv4Address | IPv6Address]]:
    """The neighbours of the entered namespace, by interface index and address.

    Raises KernelRefused.
    """
    try:
        messages = list(dumped(RTM_GETNEIGH, _NEIGHBOUR.pack(socket.AF_UNSPEC, 0, 0, 0, 0)))
    except OSError as error:
        raise KernelRefused(f"cannot list neighbours: {error.strerror}") from error
    found: list[tuple[int, IPv4Address | IPv6Address]] = []
    for message in messages:
        family, index, state, _, _ = _NEIGHBOUR.unpack_from(message, HEADER.size)
        if family not in (socket.AF_INET, socket.AF_INET6) or state & NUD_NOARP:
            continue
        found += (
            (index, ip_address(data))
            for kind, data in attributes(message, _NEIGHBOUR.size)
            if kind == NDA_DST
        )
    return found
