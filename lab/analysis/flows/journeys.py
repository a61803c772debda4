"""Crossings of single links joined to ways through switches and routers.

A switch forwards a frame as it came (IEEE 802.1D, 7.1), by one port or, to whom it does not know
or to everybody, by all others. A router takes a packet out of its frame, counts its TTL down and
sends it in another (RFC 1812, 5.2; RFC 8200, 3); the rest of the packet is as it came.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lab.analysis.flows.crossing import Crossing, Hop
from lab.analysis.packets.packet import Arp, Ethernet, Icmp, IPAddress, IPv4, IPv6

_IP = IPv4 | IPv6
_IPV6_HEADER_BYTES = 40
_IPV4_TTL, _IPV6_HOP_LIMIT = 8, 7
"""Their places in an IP header."""
_IPV4_CHECKSUM = slice(10, 12)


def join_journeys(
    crossings: Sequence[Crossing],
    switches: Collection[str],
    routers: Collection[str],
    owners: Mapping[IPAddress, str],
) -> tuple[Crossing, ...]:
    """The crossings of single links, in order of time, as ways from host to host.

    `owners` are the hosts by their addresses. Of a frame that a switch sends to several the way
    to its destination is one crossing, with its hops; each other copy is a crossing of its own,
    from the switch that made it. One that a switch or a router did not forward has not arrived.
    The result is in order of time and numbered anew, from the number of the first.
    """
    if not switches and not routers:
        return tuple(crossings)
    if not crossings:
        return ()
    forwarded = _Forwarding(frozenset(switches), frozenset(routers))
    for crossing in crossings:
        forwarded.add(crossing)
    stations = _stations(crossings, frozenset(switches))
    devices = frozenset(switches) | frozenset(routers)
    found: list[Crossing] = []
    for root in forwarded.roots:
        found += _Journey(forwarded.next_of, stations, owners, devices).ways(root)
    found.sort(key=lambda each: each.time_ns)
    first = min(each.number for each in crossings)
    return tuple(replace(each, number=number) for number, each in enumerate(found, start=first))


class _Forwarding:
    """Which crossing is the next link of which."""

    def __init__(self, switches: frozenset[str], routers: frozenset[str]) -> None:
        self._switches = switches
        self._routers = routers
        self._waiting: defaultdict[tuple[str, bytes], list[Crossing]] = defaultdict(list)
        """What came to a switch or router, by that and by what it is on both its sides."""
        self.roots: list[Crossing] = []
        self.next_of: defaultdict[int, list[Crossing]] = defaultdict(list)

    def add(self, crossing: Crossing) -> None:
        """Join it with the one whose frame this forwards; crossings are added in order of time."""
        before = self._forwarded_by(crossing)
        if before is None:
            self.roots.append(crossing)
        else:
            self.next_of[before.number].append(crossing)
        if crossing.received_ns is not None and (key := self._key(crossing.receiver, crossing)):
            self._waiting[key].append(crossing)

    def _forwarded_by(self, crossing: Crossing) -> Crossing | None:
        key = self._key(crossing.sender, crossing)
        waiting = self._waiting.get(key, []) if key else []
        for place, each in enumerate(waiting):
            came_ns, left_ns = each.received_ns, crossing.sent_ns
            if came_ns is None or (left_ns is not None and left_ns < came_ns):
                continue
            if crossing.sender in self._routers:
                return waiting.pop(place)
            is_back = each.sender == crossing.receiver
            is_there = any(
                other.receiver == crossing.receiver for other in self.next_of[each.number]
            )
            if not is_back and not is_there:
                return each
        return None

    def _key(self, host: str, crossing: Crossing) -> tuple[str, bytes] | None:
        if host in self._switches:
            return host, crossing.packet.frame.data
        if host in self._routers:
            packet = _forwarded_part(crossing)
            return None if packet is None else (host, packet)
        return None


def _forwarded_part(crossing: Crossing) -> bytes | None:
    """What a router leaves as it is: the IP packet without its TTL and its checksum."""
    ip = next((ip for ip in crossing.packet.own if isinstance(ip, _IP)), None)
    if ip is None:
        return None
    data = bytearray(crossing.packet.frame.data[ip.offset :])
    if isinstance(ip, IPv4):
        del data[ip.total_bytes :]
        data[_IPV4_TTL] = 0
        data[_IPV4_CHECKSUM] = bytes(2)
    else:
        del data[_IPV6_HEADER_BYTES + ip.payload_bytes :]
        data[_IPV6_HOP_LIMIT] = 0
    return bytes(data)


def _stations(crossings: Iterable[Crossing], switches: frozenset[str]) -> dict[str, str]:
    """The hosts by the hardware addresses from which they send."""
    return {
        layer.source: crossing.sender
        for crossing in crossings
        if crossing.sender not in switches
        for layer in crossing.packet.layers[:1]
        if isinstance(layer, Ethernet)
    }


class _Journey:
    """One frame's ways from its sender on."""

    def __init__(
        self,
        next_of: Mapping[int, Sequence[Crossing]],
        stations: Mapping[str, str],
        owners: Mapping[IPAddress, str],
        devices: frozenset[str],
    ) -> None:
        self._next_of = next_of
        self._stations = stations
        self._owners = owners
        self._devices = devices

    def ways(self, root: Crossing) -> Iterator[Crossing]:
        """The way to its destination, then those of its copies."""
        paths = list(self._paths(root))
        main = max(paths, key=self._is_destination)  # the first where none is
        yield self._joined(main)
        covered = {crossing.number for crossing in main}
        for path in paths:
            rest = [crossing for crossing in path if crossing.number not in covered]
            if rest:
                yield self._joined(rest)
                covered.update(crossing.number for crossing in rest)

    def _paths(self, root: Crossing) -> Iterator[list[Crossing]]:
        """From the root to each end, in the order in which they begin to differ."""
        todo = [[root]]
        while todo:
            path = todo.pop()
            nexts = self._next_of.get(path[-1].number, ())
            if not nexts:
                yield path
            todo += ([*path, each] for each in reversed(nexts))

    def _is_destination(self, path: Sequence[Crossing]) -> bool:
        last = path[-1]
        layer = last.packet.layers[0] if last.packet.layers else None
        if isinstance(layer, Ethernet) and layer.destination in self._stations:
            return self._stations[layer.destination] == last.receiver
        return self._owner(last) == last.receiver

    def _owner(self, crossing: Crossing) -> str | None:
        """Whose address it is for; of a question for a hardware address, whose that is."""
        for layer in crossing.packet.own:
            if isinstance(layer, Arp):
                return None if layer.target is None else self._owners.get(layer.target)
            if isinstance(layer, _IP) and not layer.destination.is_multicast:
                return self._owners.get(layer.destination)
            if isinstance(layer, Icmp):
                return None if layer.target is None else self._owners.get(layer.target)
        return None

    def _joined(self, path: Sequence[Crossing]) -> Crossing:
        first, last = path[0], path[-1]
        owner = self._owner(last)
        is_there = last.receiver not in self._devices or owner in (None, last.receiver)
        hops = tuple(
            Hop(each.packet, each.sender, each.receiver, each.sent_ns, each.received_ns)
            for each in path
        )
        if len(path) == 1 and is_there:
            return first
        return replace(
            first,
            receiver=last.receiver if is_there else owner or last.receiver,
            received_ns=last.received_ns if is_there else None,
            hops=hops,
        )
