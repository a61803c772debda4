"""Crossings whose packets are made when they are asked for, of frames that are stored."""

from __future__ import annotations

from array import array
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from lab.analysis.flows.crossing import Crossing, FlowEnds, Hop, Protocol, TransportHead
from lab.analysis.packets.dissect import dissect
from lab.analysis.packets.packet import IPv4, Packet, Payload
from lab.analysis.plain.decode import PlainDecoder
from lab.analysis.plain.head import PlainHead
from lab.model.address import SocketAddress

if TYPE_CHECKING:
    from lab.records import StoredFrames

_MOST_RECENT = 1 << 12
_CUT = 255
_FLAGS, _HAS_SACK = 0xFFF, 0x1000
"""Of the bits that are kept of a segment."""
_PROTOCOLS: dict[int, Protocol] = {6: "tcp", 17: "udp"}
_FIELDS = Crossing.__match_args__
_packet: Any = Crossing.__dict__["packet"]
"""The slot of every crossing, in which a late one has its LatePackets, or its LatePlace."""
_hops_packet: Any = Hop.__dict__["packet"]


class LatePackets:
    """The packets of crossings, each made of its frame when it is asked for.

    A packet as objects takes 600 bytes and its frame 200 more. Those that were asked for last are
    kept, so that what looks at a conversation again and again makes each once; and those that
    are not plain, which are few and take 30 times as long to make. What flows and connections
    need of a plain one is read once, and kept in columns: 20 bytes for each.
    """

    def __init__(self, frames: StoredFrames, first: int, count: int) -> None:
        """Of so many crossings, numbered from `first`."""
        self.frames = frames
        self.left = array("I", bytes(4 * count))
        """The place of each crossing's frame, as it was seen first."""
        self.arrived = array("I", bytes(4 * count))
        """And of that frame as it was seen arriving; the same where it was seen once."""
        self._first = first
        decoder = PlainDecoder(most=_MOST_RECENT)
        self._decode, self._read_head = decoder.decode, decoder.head
        self._right = bytearray(count)
        """How many checksums were right of each packet that is known to be plain; else 0, and _CUT
        of those that were cut behind their headers."""
        self._ends_at = array("I", bytes(4 * count))
        """Behind the place of each packet's ends among all ends; 0 where its head is unknown."""
        self._every_ends: list[FlowEnds] = []
        self._place_of_ends: dict[bytes, int] = {}
        self._begins = bytearray(count)
        """Where in the frame the payload begins."""
        self._lengths, self._bits, self._windows = (array("H", bytes(2 * count)) for _ in range(3))
        self._seqs, self._acks = (array("I", bytes(4 * count)) for _ in range(2))
        self._recent: dict[int, Packet] = {}
        self._odd: dict[int, Packet] = {}

    def data(self, number: int) -> bytes:
        """The bytes of a crossing's frame, read now. Raises OSError."""
        return self.frames.data(self.left[number - self._first])

    def rows(self, number: int) -> tuple[int, ...]:
        """The rows of the columns that a crossing's frames are in: as it left, as it arrived."""
        at = number - self._first
        return self.frames.row(self.left[at]), self.frames.row(self.arrived[at])

    def right_checksums(self, number: int) -> int:
        """How many a plain packet has; it is made once to know that. 0 of one that is not plain."""
        at = number - self._first
        found = self._right[at]
        if not found and number not in self._odd:
            if not self._has_head(number):
                self.of(number)
            found = self._right[at]
        return 0 if found == _CUT else found

    def is_plain(self, number: int) -> bool:
        """Whether a packet is, cut behind its headers or not; it is made once to know that."""
        return self.right_checksums(number) > 0 or self._right[number - self._first] == _CUT

    def head(self, number: int) -> TransportHead | None:
        """What is kept of a plain packet; None of any other. Raises OSError."""
        if not self._has_head(number):
            return None
        at = number - self._first
        bits = self._bits[at]
        return TransportHead(
            self._every_ends[self._ends_at[at] - 1], self._seqs[at], self._acks[at],
            bits & _FLAGS, self._windows[at], self._lengths[at], bits & _HAS_SACK > 0,
        )  # fmt: skip

    def wire_bytes(self, number: int) -> int:
        """The length on the wire of a crossing's frame."""
        return self.frames.wire_bytes(self.left[number - self._first])

    def point(self, number: int) -> str:
        """The capture point that saw a crossing's frame first."""
        return self.frames.point(self.left[number - self._first])

    def carried(self, number: int, crossing: LateCrossing) -> Payload | None:
        """A packet's payload, whose bytes are read of the crossing each time they are asked for."""
        if not self._has_head(number):
            carried = self.of(number).carried
            return None if carried is None else carried.read_from(crossing)
        at = number - self._first
        begin, length = self._begins[at], self._lengths[at]
        if self._right[at] == _CUT:
            length = min(length, self.frames.captured(self.left[at]) - begin)
        return Payload.stored(begin, length, crossing) if length else None

    def _has_head(self, number: int) -> bool:
        """Whether what is kept of it is there; it is read now where it can be."""
        at = number - self._first
        if self._ends_at[at]:
            return True
        if self._right[at] or number in self._odd:
            return False
        place = self.left[at]
        head = self._read_head(self.frames.data(place), self.frames.wire_bytes(place))
        if head is None:
            return False
        self._keep(at, head)
        return True

    def _keep(self, at: int, head: PlainHead) -> None:
        place = self._place_of_ends.get(head.ends)
        if place is None:
            self._every_ends.append(_ends(head.ends))
            place = self._place_of_ends[head.ends] = len(self._every_ends)
        self._ends_at[at] = place
        self._right[at] = head.right_checksums or _CUT
        self._begins[at], self._lengths[at] = head.begin, head.length
        self._seqs[at], self._acks[at] = head.seq, head.ack
        self._windows[at] = head.window
        self._bits[at] = head.flags | (_HAS_SACK if head.has_sack else 0)

    def of(self, number: int) -> Packet:
        """The packet of the crossing with that number. Raises OSError."""
        found = self._recent.get(number) or self._odd.get(number)
        if found is not None:
            return found
        at = number - self._first
        frame = self.frames[self.left[at]]
        made = self._decode(frame, is_right=self._right[at] > 0)
        if made is None:
            made = self._odd[number] = dissect(frame)
            return made
        is_cut = len(frame.data) < frame.wire_bytes
        self._right[at] = _CUT if is_cut else 2 if isinstance(made.layers[1], IPv4) else 1
        if len(self._recent) >= _MOST_RECENT:
            self._recent.clear()
        self._recent[number] = made
        return made


class LatePlace(NamedTuple):
    """Which of such packets one is that has another number now, or none."""

    late: LatePackets
    key: int
    """The number that its crossing had on its link."""


class _Late:
    """What has its packet late: it says by `place` what makes it, and has it by `packet`."""

    __slots__ = ()
    if TYPE_CHECKING:

        @property
        def packet(self) -> Packet: ...

        @property
        def place(self) -> LatePlace | None: ...

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows of its frames' columns: as they left, as they arrived; none if unknown."""
        place = self.place
        return () if place is None else place.late.rows(place.key)

    @property
    def data(self) -> bytes:
        """The bytes of its frame, read now. Raises OSError."""
        place = self.place
        return self.packet.frame.data if place is None else place.late.data(place.key)

    @property
    def wire_bytes(self) -> int:
        """The length of its frame on the wire."""
        place = self.place
        return self.packet.frame.wire_bytes if place is None else place.late.wire_bytes(place.key)

    @property
    def right_checksums(self) -> int:
        """How many its packet has, where it is plain and whole; else 0."""
        place = self.place
        return 0 if place is None else place.late.right_checksums(place.key)


class LateCrossing(_Late, Crossing):
    """A crossing whose packet looks plain: of TCP or UDP, no fragment, in no tunnel."""

    __slots__ = ()

    @property
    def packet(self) -> Packet:
        """As its sender sent it; made now, or lately."""
        held = _packet.__get__(self)
        return held.of(self.number) if held.__class__ is LatePackets else cast("Packet", held)

    @packet.setter
    def packet(self, packet: Packet | LatePackets | LatePlace) -> None:
        """To be called by its constructor; `dataclasses.replace` gives that a packet."""
        _packet.__set__(self, packet)

    @property
    def place(self) -> LatePlace | None:
        """What makes its packet; None of one that has it."""
        held = _packet.__get__(self)
        return LatePlace(held, self.number) if held.__class__ is LatePackets else None

    @property
    def is_plain(self) -> bool:
        """Whether it is known to be plain."""
        held = _packet.__get__(self)
        return held.__class__ is LatePackets and held.is_plain(self.number)

    @property
    def head(self) -> TransportHead | None:
        """What there is to know of it without its packet; None where that has to be asked."""
        held = _packet.__get__(self)
        return held.head(self.number) if held.__class__ is LatePackets else None

    @property
    def arrived_point(self) -> str:
        """The capture point that has its frame."""
        place = self.place
        return self.arrived.frame.point if place is None else place.late.point(place.key)

    @property
    def carried(self) -> Payload | None:
        """Its packet's payload, whose bytes are not kept with it; None where it has none."""
        place = self.place
        return self.packet.carried if place is None else place.late.carried(place.key, self)

    def changed(self, **fields: Any) -> Crossing:  # noqa: ANN401  a Crossing's own
        """The same with these fields of a crossing's; its packet is made as late."""
        place = self.place
        if place is None:
            return replace(self, **fields)
        known: dict[str, Any] = {name: getattr(self, name) for name in _FIELDS if name != "packet"}
        return LateWay(**{**known, **fields, "packet": place})

    def as_hop(self) -> Hop:
        """Its link, as one of several; the packet is made as late."""
        kind, packet = (Hop, self.packet) if self.place is None else (LateHop, self.place)
        return kind(
            cast("Packet", packet), self.sender, self.receiver, self.sent_ns, self.received_ns
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Crossing):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _FIELDS)

    __hash__ = Crossing.__hash__


class LateWay(LateCrossing):
    """The same of a frame that went over several links, or has another number than on its first."""

    __slots__ = ()

    @property
    def packet(self) -> Packet:
        """As its sender sent it; made now, or lately."""
        held = _packet.__get__(self)
        return held.late.of(held.key) if held.__class__ is LatePlace else cast("Packet", held)

    @packet.setter
    def packet(self, packet: Packet | LatePackets | LatePlace) -> None:
        """To be called by its constructor; `dataclasses.replace` gives that a packet."""
        _packet.__set__(self, packet)

    @property
    def place(self) -> LatePlace | None:
        """What makes its packet; None of one that has it."""
        held = _packet.__get__(self)
        return held if held.__class__ is LatePlace else None

    @property
    def right_checksums(self) -> int:
        """How many its packet has on all of its links, where it is plain and whole on each."""
        if not self.hops:
            return super().right_checksums
        every = [hop.right_checksums for hop in self.hops]
        return sum(every) if all(every) else 0

    @property
    def is_plain(self) -> bool:
        """Whether it is known to be plain, as its sender sent it."""
        place = self.place
        return place is not None and place.late.is_plain(place.key)

    @property
    def head(self) -> TransportHead | None:
        """The same as of any other; the ends are those that its own hosts know, behind NATs."""
        place = self.place
        head = None if place is None else place.late.head(place.key)
        if head is None or self.ends is None:
            return head
        return head._replace(ends=(head.ends[0], *self.ends))

    @property
    def arrived_point(self) -> str:
        """The capture point that has its frame as it was on the last link."""
        return self.hops[-1].point if self.hops else super().arrived_point


class LateHop(_Late, Hop):
    """A link of a frame's way, on which the packet looks plain."""

    __slots__ = ()

    @property
    def packet(self) -> Packet:
        """As it was on this link; made now, or lately."""
        held = _hops_packet.__get__(self)
        return held.late.of(held.key) if held.__class__ is LatePlace else cast("Packet", held)

    @packet.setter
    def packet(self, packet: Packet | LatePlace) -> None:
        """To be called by its constructor; `dataclasses.replace` gives that a packet."""
        _hops_packet.__set__(self, packet)

    @property
    def place(self) -> LatePlace | None:
        """What makes its packet; None of one that has it."""
        held = _hops_packet.__get__(self)
        return held if held.__class__ is LatePlace else None

    @property
    def head(self) -> TransportHead | None:
        """What there is to know of it without its packet; None where that has to be asked."""
        place = self.place
        return None if place is None else place.late.head(place.key)

    @property
    def point(self) -> str:
        """The capture point that saw its frame first."""
        place = self.place
        return self.packet.frame.point if place is None else place.late.point(place.key)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Hop):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in Hop.__match_args__)

    __hash__ = Hop.__hash__


def _ends(packed: bytes) -> FlowEnds:
    """Ends as PlainHead has them: a protocol's number, two addresses, two ports of 16 bits."""
    addresses = packed[1:-4]
    half = len(addresses) // 2
    address = IPv4Address if half == 4 else IPv6Address
    source, destination = (
        SocketAddress(address(whose), int.from_bytes(port, "big"))
        for whose, port in (
            (addresses[:half], packed[-4:-2]),
            (addresses[half:], packed[-2:]),
        )
    )
    return _PROTOCOLS[packed[0]], source, destination
