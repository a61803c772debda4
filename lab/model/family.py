"""The IP version of a run."""

from __future__ import annotations

import enum


class Family(enum.Enum):
    """The IP version a scenario's internet sockets use; the value is the version."""

    IPV4 = 4
    IPV6 = 6

    @property
    def socket_domain(self) -> str:
        """The domain's name in socket(2)."""
        return "AF_INET" if self is Family.IPV4 else "AF_INET6"

    @property
    def ethertype(self) -> int:
        """Its value in an Ethernet frame's type field. Source: RFC 894; RFC 2464, 3."""
        return 0x0800 if self is Family.IPV4 else 0x86DD
