"""Which fragments a router made of which packet.

A router cuts an IPv4 packet that is larger than the next link's MTU, unless its DF bit is set; a
fragment that it gets may be cut again. Of IPv6 no router does. A NAT that cuts has changed the
packet before: all but that is compared. Source: RFC 791, 2.3 and 3.2; RFC 8200, 4.5; RFC 3022, 4.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from typing import NamedTuple

from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.translation import bytes_of_packet, translated_part

_OFFSET, _MORE = 0x1FFF, 0x2000


class Carried(NamedTuple):
    """What of a datagram a packet carries: all of it, or a fragment."""

    datagram: Hashable
    """The same of all its fragments: addresses, protocol and identification."""
    start: int
    end: int
    """In bytes behind the IP header; `end` is past the last."""
    is_last: bool
    data: bytes

    def overlap(self, other: Carried) -> int:
        """How many bytes both carry, if they are of one datagram and those bytes are the same."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        if self.datagram != other.datagram or start >= end:
            return 0
        one, two = (each.data[start - each.start : end - each.start] for each in (self, other))
        return end - start if one == two else 0

    def is_part_of(self, other: Carried) -> bool:
        """Whether it is a smaller part of what the other carries, with the same bytes."""
        inside = other.start <= self.start and self.end <= other.end
        is_smaller = self.end - self.start < other.end - other.start
        at = self.start - other.start
        return (
            self.datagram == other.datagram
            and inside
            and is_smaller
            and self.is_last == (other.is_last and self.end == other.end)
            and self.data == other.data[at : at + len(self.data)]
        )


def carried_of(packet: bytes | None) -> Carried | None:
    """What a whole IPv4 packet carries; None for any other, and for none."""
    if packet is None or len(packet) < 20 or packet[0] >> 4 != 4:
        return None
    header_bytes = (packet[0] & 0xF) * 4
    place = int.from_bytes(packet[6:8], "big")
    data = packet[header_bytes:]
    start = (place & _OFFSET) * 8
    datagram = packet[12:20], packet[9], packet[4:6]
    return Carried(datagram, start, start + len(data), not place & _MORE, data)


def carried_by(crossings: Iterable[Crossing]) -> list[Carried]:
    """What those carry that are IPv4 packets."""
    found = (carried_of(bytes_of_packet(crossing)) for crossing in crossings)
    return [part for part in found if part is not None]


class Fragmenting:
    """What came to routers, and which parts of it have left them as fragments."""

    def __init__(self, nats: Collection[str] = ()) -> None:
        self._nats = nats
        # What they carry is read again where it is asked: of all that came it is as much as they.
        self._came: defaultdict[tuple[str, Hashable], list[Crossing]] = defaultdict(list)
        self._left: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)

    def came(self, crossing: Crossing) -> None:
        """One that came to a router."""
        if (part := self._carried(crossing.receiver, crossing)) is not None:
            self._came[crossing.receiver, part.datagram].append(crossing)

    def fragmented(self, crossing: Crossing, may_be: Callable[[Crossing], bool]) -> Crossing | None:
        """The one that a router made this fragment of, the first that fits; None if there is none.

        It has come before this left, no other fragment of these bytes has left for it, and it
        `may_be` that one by its addresses.
        """
        part = self._carried(crossing.sender, crossing)
        if part is None:
            return None
        for came, whole in self._waiting(crossing.sender, part):
            is_before = crossing.sent_ns is None or (came.received_ns or 0) <= crossing.sent_ns
            place = part.start, part.end
            is_new = place not in self._left[came.number]
            if is_before and is_new and part.is_part_of(whole) and may_be(came):
                self._left[came.number].add(place)
                return came
        return None

    def joined(self, crossing: Crossing, may_be: Callable[[Crossing], bool]) -> list[Crossing]:
        """Those of which a NAT, which joins fragments before it translates, made this one.

        Fragments that came before it left, that it has bytes of, and that it `may_be` of by its
        addresses; none where they do not make up all of it.
        """
        part = self._carried(crossing.sender, crossing)
        if part is None or crossing.sender not in self._nats:
            return []
        found = [
            (came, overlap)
            for came, whole in self._waiting(crossing.sender, part)
            if crossing.sent_ns is None or (came.received_ns or 0) <= crossing.sent_ns
            if (overlap := part.overlap(whole)) and may_be(came)
        ]
        is_all = sum(overlap for _, overlap in found) == part.end - part.start
        return [came for came, _ in found] if is_all else []

    def _waiting(self, router: str, part: Carried) -> Iterator[tuple[Crossing, Carried]]:
        """What came to the router of that datagram, with what it carries."""
        for came in self._came.get((router, part.datagram), ()):
            whole = self._carried(router, came)
            assert whole is not None, "it has come because it carries something"
            yield came, whole

    def _carried(self, router: str, crossing: Crossing) -> Carried | None:
        """What it carries, of a NAT's packets without what that may change."""
        packet = bytes_of_packet(crossing)
        return carried_of(packet and translated_part(packet) if router in self._nats else packet)
