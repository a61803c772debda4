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
SO_LINGER = Option(_SOCKET, 13)
IPV6_V6ONLY = Option(_IPV6, 26)
