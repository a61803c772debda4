"""One frame's way from the host that sent it to the one that it reached."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from lab.frozen import frozen
from lab.model.address import SocketAddress
from lab.model.event import EventId, frame_id

if TYPE_CHECKING:
    from lab.analysis.packets.packet import Packet, Payload

Protocol = Literal["tcp", "udp"]

FlowEnds = tuple[Protocol, SocketAddress, SocketAddress]
"""A packet's protocol, source and destination."""


class TransportHead(NamedTuple):
    """What flows and connections need of a plain packet; the numbers of TCP are 0 in UDP."""

    ends: FlowEnds
    seq: int
    ack: int
    flags: int
    window: int
    """As it is in the header."""
    length: int
    """Payload bytes, also those that were not captured."""
    has_sack: bool
    """Whether it has SACK blocks (RFC 2018, 3)."""


@frozen
class Hop:
    """A frame's way over one link of several: switches, routers and NATs are between them."""

    packet: Packet
    """As it was on this link: a router or a NAT has changed it."""
    sender: str
    receiver: str
    sent_ns: int | None
    received_ns: int | None
    follows: int | None = None
    """The place, among the hops of its crossing, of the one that it forwards, where that is not the
    one before it: of the fragments that a router made."""

    @property
    def data(self) -> bytes:
        """The bytes of its frame."""
        return self.packet.frame.data

    @property
    def right_checksums(self) -> int:
        """How many its packet has, as those of a crossing; 0 if unknown."""
        return 0

    @property
    def head(self) -> TransportHead | None:
        """What there is to know of it without its packet; None where that has to be asked."""
        return None

    @property
    def wire_bytes(self) -> int:
        """The length of its frame on the wire."""
        return self.packet.frame.wire_bytes

    @property
    def point(self) -> str:
        """The capture point that saw its frame first."""
        return self.packet.frame.point


@frozen
class Crossing:
    """One frame's way from host to host, over one link or several.

    Where a single point saw it and the direction is unknown (a foreign capture), both
    times are that point's. `sent_ns` is None where no point saw it leave, `received_ns`
    None where none saw it arrive: with two live points it was lost.
    """

    number: int
    """From 1, in order of time."""
    packet: Packet
    """As its sender sent it."""
    sender: str
    """The host it left; "" where unknown."""
    receiver: str
    """The host that it reached, or was to reach; "" where unknown."""
    sent_ns: int | None
    received_ns: int | None
    hops: tuple[Hop, ...] = ()
    """Its way link by link, where switches or routers forwarded it or should have; else empty.

    Of one that a router cut, with a hop for each fragment on each link, in order of time."""
    ends: tuple[SocketAddress, SocketAddress] | None = None
    """Where a NAT has changed them, source and destination of its TCP or UDP packet, each as its
    own host has it; of an ICMP error those of the packet that it quotes. None where the packet as
    its sender sent it has the same."""
    strikes: tuple[EventId, ...] = ()
    """What rules of wires did to it; of one that a wire made, those that made it."""
    is_made: bool = False
    """Whether a wire made it, as a copy of another or in its place: nobody sent it."""

    @property
    def id(self) -> EventId:
        """What evidence and reports name it by."""
        return frame_id(self.number)

    @property
    def time_ns(self) -> int:
        """When it was first seen."""
        time_ns = self.sent_ns
        if time_ns is None and self.hops:
            # Not seen leaving its sender, it may have been seen anywhere behind that.
            seen = (ns for hop in self.hops for ns in (hop.sent_ns, hop.received_ns))
            time_ns = next((ns for ns in seen if ns is not None), None)
        elif time_ns is None:
            time_ns = self.received_ns
        assert time_ns is not None, "a crossing is made from at least one frame"
        return time_ns

    @property
    def data(self) -> bytes:
        """The bytes of its frame, as its sender sent it."""
        return self.packet.frame.data

    @property
    def right_checksums(self) -> int:
        """How many its packet has, where it is known without a look at it to be plain TCP or UDP.

        That is a whole packet with nothing odd and right checksums: see lab.analysis.plain.
        0 if unknown.
        """
        return 0

    @property
    def is_plain(self) -> bool:
        """Whether it is known to be plain so, or but for being cut behind its headers."""
        return False

    @property
    def head(self) -> TransportHead | None:
        """What there is to know of it without its packet; None where that has to be asked.

        Of a plain packet of TCP or UDP, cut behind its headers or not, that has the same ends
        everywhere.
        """
        return None

    @property
    def wire_bytes(self) -> int:
        """The length of its frame on the wire."""
        return self.packet.frame.wire_bytes

    @property
    def arrived_point(self) -> str:
        """The capture point that has its frame as it was on the last link."""
        return self.hops[-1].point if self.hops else self.packet.frame.point

    @property
    def carried(self) -> Payload | None:
        """Its packet's payload, as it is to be kept; None where it has none."""
        return self.packet.carried

    @property
    def lost(self) -> bool:
        """Whether it was seen leaving and not arriving."""
        return self.received_ns is None

    def changed(self, **fields: Any) -> Crossing:  # noqa: ANN401  a Crossing's own
        """The same with these fields."""
        return replace(self, **fields)

    def as_hop(self) -> Hop:
        """Its link, as one of several."""
        return Hop(self.packet, self.sender, self.receiver, self.sent_ns, self.received_ns)

    def hop_before(self, place: int) -> Hop | None:
        """Of one of its hops, by place, the one that it forwards; None of the first."""
        follows = self.hops[place].follows
        return self.hops[place - 1 if follows is None else follows] if place else None

    @property
    def forwarded(self) -> tuple[tuple[Hop, Hop], ...]:
        """Its hops but the first, each behind the one that it forwards."""
        before = (self.hop_before(place) for place in range(len(self.hops)))
        pairs = zip(before, self.hops, strict=True)
        return tuple((came, left) for came, left in pairs if came is not None)

    @property
    def last_seen(self) -> tuple[str, int] | None:
        """The host that it was last seen arriving at, a switch or a router too, and when."""
        last = self.hops[-1] if self.hops else self
        return None if last.received_ns is None else (last.receiver, last.received_ns)

    @property
    def arrived(self) -> Packet:
        """As it was on the last link."""
        return self.hops[-1].packet if self.hops else self.packet
