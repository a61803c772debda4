"""One way through a buffer of bytes: the layers found so far, and what is left."""

from __future__ import annotations

from lab.analysis.packets.checksum import (
    checksum_holds,
    is_left_to_card,
    pseudo_header,
    right_checksum,
)
from lab.analysis.packets.packet import Layer, Malformed, Payload
from lab.model.counted import counted


class Walk:
    """The layers of one frame, of one reassembled datagram, or of one quoted packet.

    Positions are in `data`. An `end` is where a packet ends by the header around it; it
    lies past the end of `data` where the capture, or the host that quoted it, cut it.
    """

    __slots__ = ("data", "layers", "quoted")

    def __init__(self, data: bytes, *, quoted: bool = False) -> None:
        self.data = data
        self.layers: list[Layer] = []
        self.quoted = quoted
        """Inside an ICMP error, where fields may be what a router made of them."""

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
