"""Socket options as values: a level and a number, as setsockopt(2) has them.

Their names for people are in constants.py; these are the ones that the lab itself asks about.
"""

from __future__ import annotations

from typing import NamedTuple


class Option(NamedTuple):
    """A socket option. Source: setsockopt(2)."""

    level: int
    number: int


_IP, _SOCKET, _TCP, _IPV6 = 0, 1, 6, 41

SO_ERROR = Option(_SOCKET, 4)
SO_BROADCAST = Option(_SOCKET, 6)
SO_RCVBUF = Option(_SOCKET, 8)
SO_KEEPALIVE = Option(_SOCKET, 9)
SO_LINGER = Option(_SOCKET, 13)
SO_PEERCRED = Option(_SOCKET, 17)
SO_RCVTIMEO = Option(_SOCKET, 20)
SO_RCVTIMEO_NEW = Option(_SOCKET, 66)

TCP_CORK = Option(_TCP, 3)
TCP_USER_TIMEOUT = Option(_TCP, 18)

IP_MTU_DISCOVER = Option(_IP, 10)
IP_RECVERR = Option(_IP, 11)
IP_MULTICAST_IF = Option(_IP, 32)
IP_ADD_MEMBERSHIP = Option(_IP, 35)
IP_DROP_MEMBERSHIP = Option(_IP, 36)

IPV6_MULTICAST_IF = Option(_IPV6, 17)
IPV6_ADD_MEMBERSHIP = Option(_IPV6, 20)
IPV6_MTU_DISCOVER = Option(_IPV6, 23)
IPV6_RECVERR = Option(_IPV6, 25)
IPV6_V6ONLY = Option(_IPV6, 26)
IPV6_DONTFRAG = Option(_IPV6, 62)

MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP = 42, 46
"""Of either version's level."""
