"""One way through a buffer of bytes: the layers found so far, and what is left."""

from __future__ import annotations

from collections.abc import Callable

from lab.analysis.packets.packet import IPv4, IPv6, Layer, Malformed, Payload, Tunnel
from lab.internet.checksum import (
    checksum_holds,
    is_left_to_card,
    pseudo_header,
    right_checksum,
)
from lab.model.counted import counted

MOST_TUNNELS = 8
"""Around one packet. Of more, nobody has use; each costs a level of recursion."""

Enter = Callable[["Walk", int, int, int], None]
"""Given the walk, an EtherType, where that begins and ends."""


class Walk:
    """The layers of one frame, of one reassembled datagram, or of one quoted packet.

    Positions are in `data`. An `end` is where a packet ends by the header around it; it
    lies past the end of `data` where the capture, or the host that quoted it, cut it.
    """

    __slots__ = ("data", "enter", "inner", "ip", "layers", "quoted", "tunnels")

    def __init__(
        self, data: bytes, *, quoted: bool = False, enter: Enter | None = None, tunnels: int = 0
    ) -> None:
        self.data = data
        self.layers: list[Layer] = []
        self.quoted = quoted
        """Inside an ICMP error, where fields may be what a router made of them."""
        self.enter = enter
        """Adds the layers of the packet inside a tunnel; None if tunnels are not entered."""
        self.tunnels = tunnels
        """How many were entered so far."""
        self.inner = 0
        """Where the layers after the last tunnel's header begin."""
        self.ip: IPv4 | IPv6 | None = None
        """The last IP header passed."""

    def present_end(self, end: int) -> int:
        """Where the bytes at hand of a packet that ends at `end` end."""
        return min(end, len(self.data))

    def holds(self, at: int, count: int, end: int, layer: str) -> bool:
        """Whether `count` bytes are at hand from `at`; adds a Malformed if not."""
        present = self.present_end(end) - at
        if present >= count:
            return True
        self.malformed(
            at,
            layer,
            f"needs {counted(count, 'byte')}, has {max(present, 0)}",
            truncated=at + count <= end,
        )
        return False

    def malformed(self, at: int, layer: str, reason: str, *, truncated: bool = False) -> None:
        """Add a Malformed."""
        self.layers.append(Malformed(at, layer, reason, truncated))

    def tunnel(self, at: int, name: str, identifiers: tuple[int, ...]) -> bool:
        """Add a Tunnel; False, with a Malformed, where too many are around it."""
        if self.tunnels >= MOST_TUNNELS:
            self.malformed(at, name, f"inside {MOST_TUNNELS} tunnels, of which no more are entered")
            return False
        source, destination = (self.ip.source, self.ip.destination) if self.ip else (None, None)
        self.layers.append(Tunnel(at, name, identifiers, source, destination))
        self.tunnels += 1
        self.inner = len(self.layers)
        self.ip = None
        return True

    def payload(self, at: int, end: int) -> None:
        """Add what is at hand of the bytes from `at` to `end`, if anything."""
        data = self.data[at : self.present_end(end)]
        if data:
            self.layers.append(Payload(at, data))

    def checksum_ok(
        self, at: int, end: int, addresses: bytes | None, protocol: int | None
    ) -> bool | None:
        """Whether the checksum over `at` to `end` holds.

        `addresses` are those of the pseudo-header, None where the checksum cannot be
        computed; `protocol` is None where the protocol sums no pseudo-header (ICMP).
        """
        if addresses is None or end > len(self.data):
            return None
        data = self.data[at:end]
        if protocol is None:
            return checksum_holds(data)
        return checksum_holds(pseudo_header(addresses, protocol, end - at) + data)

    def mended(
        self, at: int, end: int, addresses: bytes, protocol: int, field: int
    ) -> tuple[int, bool]:
        """What the checksum at byte `field` of `at` to `end` ought to be, where it is wrong.

        And whether it was left to the network card.
        """
        data = self.data[at:end]
        found = int.from_bytes(data[field : field + 2], "big")
        before = pseudo_header(addresses, protocol, end - at)
        right = right_checksum(before + data, len(before) + field)
        return right, is_left_to_card(found, addresses, protocol, end - at)
