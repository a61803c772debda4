"""Which fragments a router made of which packet.

A router cuts an IPv4 packet that is larger than the next link's MTU, unless its DF bit is set; a
fragment that it gets may be cut again. Of IPv6 no router does. Source: RFC 791, 2.3 and 3.2; RFC
8200, 4.5.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import NamedTuple

from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.translation import packet_bytes

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
    found = (carried_of(packet_bytes(crossing.packet)) for crossing in crossings)
    return [part for part in found if part is not None]


class Fragmenting:
    """What came to routers, and which parts of it have left them as fragments."""

    def __init__(self) -> None:
        self._came: defaultdict[tuple[str, Hashable], list[tuple[Crossing, Carried]]]
        self._came = defaultdict(list)
        self._left: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)

    def came(self, crossing: Crossing) -> None:
        """One that came to a router."""
        if (part := carried_of(packet_bytes(crossing.packet))) is not None:
            self._came[crossing.receiver, part.datagram].append((crossing, part))

    def fragmented(self, crossing: Crossing) -> Crossing | None:
        """The one that a router made this fragment of, the first that fits; None if there is none.

        It has come before this left, and no other fragment of these bytes has left for it.
        """
        part = carried_of(packet_bytes(crossing.packet))
        if part is None:
            return None
        for came, whole in self._came.get((crossing.sender, part.datagram), ()):
            is_before = crossing.sent_ns is None or (came.received_ns or 0) <= crossing.sent_ns
            place = part.start, part.end
            if is_before and part.is_part_of(whole) and place not in self._left[came.number]:
                self._left[came.number].add(place)
                return came
        return None
