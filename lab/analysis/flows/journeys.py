"""Crossings of single links joined to ways through switches, routers and NATs.

A switch forwards a frame as it came (IEEE 802.1D, 7.1), by one port or, to whom it does not know
or to everybody, by all others. A router takes a packet out of its frame, counts its TTL down and
sends it in another (RFC 1812, 5.2; RFC 8200, 3); the rest of the packet is as it came. A NAT
changes addresses and ports as well: see translation.py. A packet too large for the next link leaves
a router as fragments, all of which are its way: see fragmenting.py. A NAT joins fragments before it
translates them; what it then sends may be the way of several that came.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import pairwise

from lab.analysis.flows.crossing import Crossing, Hop
from lab.analysis.flows.flow import transport_endpoints
from lab.analysis.flows.fragmenting import Fragmenting, carried_by
from lab.analysis.flows.translation import (
    TCP,
    UDP,
    Bindings,
    PacketEnds,
    bytes_of_packet,
    ends_of_packet,
    routed_part,
    translated_part,
)
from lab.analysis.packets.packet import Arp, Ethernet, Icmp, IPAddress, IPv4, IPv6
from lab.frozen import frozen
from lab.model.counted import counted
from lab.records import Translation

_IP = IPv4 | IPv6
_NAMED = 3
_DIGEST_BYTES = 16


@frozen
class Journeys:
    """The ways of a step's frames from host to host."""

    crossings: tuple[Crossing, ...]
    """In order of time."""
    doubts: tuple[str, ...] = ()
    """What is not to be seen of them, or is seen in two ways."""


def join_journeys(
    crossings: Sequence[Crossing],
    switches: Collection[str],
    routers: Collection[str],
    owners: Mapping[IPAddress, str],
    nats: Collection[str] = (),
    translations: Iterable[Translation] = (),
) -> Journeys:
    """The crossings of single links, in order of time, as ways from host to host.

    `owners` are the hosts by their addresses, `nats` those of the routers that are NATs, and
    `translations` what their tables held at the end of the step. Of a frame that a switch sends
    to several the way to its destination is one crossing, with its hops; each other copy is a
    crossing of its own, from the switch that made it. One that a switch or a router did not
    forward has not arrived.

    The result is in order of time and numbered anew, from the number of the first.
    """
    if not crossings or not (switches or routers):
        return Journeys(tuple(crossings))
    owned = {
        nat: frozenset(address for address, host in owners.items() if host == nat) for nat in nats
    }
    bindings = Bindings(owned, translations)
    forwarded = _Forwarding(frozenset(switches), frozenset(routers), frozenset(nats), bindings)
    for crossing in crossings:
        forwarded.add(crossing)
    stations = _stations(crossings, frozenset(switches))
    devices = frozenset(switches) | frozenset(routers)
    found: list[Crossing] = []
    for root in forwarded.roots:
        journey = _Journey(forwarded.next_of, forwarded.fragments, stations, owners, devices)
        found += journey.ways(root)
    found.sort(key=lambda each: each.time_ns)
    first = min(each.number for each in crossings)
    numbered = [each.changed(number=number) for number, each in enumerate(found, start=first)]
    if not nats:
        return Journeys(tuple(numbered))
    doubts = (*forwarded.doubts(), *bindings.contradictions())
    return Journeys(tuple(_named(each, bindings, owners) for each in numbered), doubts)


class _Forwarding:
    """Which crossing is the next link of which."""

    def __init__(
        self,
        switches: frozenset[str],
        routers: frozenset[str],
        nats: frozenset[str],
        bindings: Bindings,
    ) -> None:
        self._switches = switches
        self._routers = routers
        self._nats = nats
        self._bindings = bindings
        self._unclear: list[tuple[Crossing, list[Crossing]]] = []
        self._waiting: defaultdict[tuple[str, bytes], list[Crossing]] = defaultdict(list)
        """What came to a switch or router, by that and by a digest of what it is on both its sides,
        which of many frames takes less memory than they do."""
        self.roots: list[Crossing] = []
        self.next_of: defaultdict[int, list[Crossing]] = defaultdict(list)
        self._cut = Fragmenting(nats)
        self.fragments: set[int] = set()
        """The numbers of those that routers made of larger ones."""

    def add(self, crossing: Crossing) -> None:
        """Join it with the one whose frame this forwards; crossings are added in order of time."""
        forwarded = self._forwarded_by(crossing)
        before = [] if forwarded is None else [forwarded]
        if not before and crossing.sender in self._routers:
            before = self._cut_from(crossing)
            if before:
                self.fragments.add(crossing.number)
        if not before:
            self.roots.append(crossing)
        for each in before:
            self.next_of[each.number].append(crossing)
        if crossing.received_ns is not None and (key := self._key(crossing.receiver, crossing)):
            self._waiting[key].append(crossing)
            if crossing.receiver in self._routers:
                self._cut.came(crossing)

    def _forwarded_by(self, crossing: Crossing) -> Crossing | None:
        key = self._key(crossing.sender, crossing)
        waiting = self._waiting.get(key, []) if key else []
        if crossing.sender in self._nats:
            return self._translated(crossing, waiting)
        for place, each in enumerate(waiting):
            if not _is_before(each, crossing):
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

    def _cut_from(self, crossing: Crossing) -> list[Crossing]:
        """The one of which a router, or a NAT that has translated it, made this fragment.

        Of a NAT, which joins fragments before, it may be several.
        """
        nat, left = crossing.sender, _ends(crossing)
        if nat not in self._nats:
            found = self._cut.fragmented(crossing, lambda _: True)
            return [] if found is None else [found]
        if left is None:
            return []

        def may_be(came: Crossing) -> bool:
            ends = _ends(came)
            return ends is not None and self._bindings.may_be_cut(nat, ends, left)

        found = self._cut.fragmented(crossing, may_be)
        came = self._cut.joined(crossing, may_be) if found is None else [found]
        for ends in map(_ends, came):
            if ends is not None and ends.has_ports and left.has_ports:
                self._bindings.learn(nat, ends, left)
        return came

    def _translated(self, crossing: Crossing, waiting: list[Crossing]) -> Crossing | None:
        """The one of them that a NAT made this of; None where it made none that shows."""
        nat, left = crossing.sender, _ends(crossing)
        came = [
            (each, ends)
            for each in waiting
            if _is_before(each, crossing) and (ends := _ends(each)) is not None
        ]
        if left is None or not came:
            return None
        places = self._bindings.choose(nat, [ends for _, ends in came], left)
        if len(places) != 1:
            if places:
                self._unclear.append((crossing, [came[place][0] for place in places]))
            return None
        found, ends = came[places[0]]
        self._bindings.learn(nat, ends, left)
        waiting.remove(found)
        return found

    def doubts(self) -> Iterator[str]:
        """Frames that left a NAT and may be any of several that came."""
        for crossing, came in self._unclear[:_NAMED]:
            ends = " or ".join(dict.fromkeys(str(_ends(each)) for each in came))
            yield f"{crossing.sender} sent {_ends(crossing)}, which may have been {ends} before"
        more = len(self._unclear) - _NAMED
        if more > 0:
            yield f"{counted(more, 'more frame')} of NATs that may be any of several"

    def _key(self, host: str, crossing: Crossing) -> tuple[str, bytes] | None:
        if host in self._switches:
            return host, _digest(crossing.data)
        if host in self._routers:
            packet = bytes_of_packet(crossing)
            if packet is None:
                return None
            part = translated_part(packet) if host in self._nats else routed_part(packet)
            return host, _digest(part)
        return None


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST_BYTES).digest()


def _is_before(came: Crossing, left: Crossing) -> bool:
    """Whether a frame came before another left, as far as both are known."""
    return came.received_ns is not None and (
        left.sent_ns is None or left.sent_ns >= came.received_ns
    )


def _ends(crossing: Crossing | Hop) -> PacketEnds | None:
    packet = bytes_of_packet(crossing)
    return None if packet is None else ends_of_packet(packet)


def _whole_ends(crossing: Crossing | Hop) -> PacketEnds | None:
    """The ends with their ports, of the fragment that completes a datagram too; else None."""
    found = _ends(crossing)
    if found is None or found.has_ports:
        return found
    ends = transport_endpoints(crossing.packet)
    return None if ends is None else PacketEnds(found.protocol, *ends)


def _ends_behind_all(crossing: Crossing) -> PacketEnds | None:
    """Its ends on its last link; of one that was cut, by a fragment that has them."""
    found = (_whole_ends(hop) for hop in reversed(crossing.hops or (crossing.as_hop(),)))
    return next((ends for ends in found if ends is not None), None)


def _named(crossing: Crossing, bindings: Bindings, owners: Mapping[IPAddress, str]) -> Crossing:
    """The crossing with its ends as their own hosts have them, where NATs have changed them.

    One that was lost before it came to the NAT was to reach who is behind it.
    """
    last = crossing.hops[-1] if crossing.hops else crossing
    sent, arrived = _whole_ends(crossing), _ends_behind_all(crossing)
    if sent is None or arrived is None or sent.protocol not in (TCP, UDP):
        return crossing
    destination = arrived.destination
    if last.received_ns is None:
        destination = _behind(arrived, bindings, owners).destination
    if destination != arrived.destination:
        receiver = owners.get(destination.address, crossing.receiver)
        hops = crossing.hops or (crossing.as_hop(),)
        crossing = crossing.changed(receiver=receiver, hops=hops)
    if destination == sent.destination:
        return crossing
    is_quoted = crossing.head is None and crossing.packet.icmp is not None
    ends = (destination, sent.source) if is_quoted else (sent.source, destination)
    return crossing.changed(ends=ends)


def _behind(ends: PacketEnds, bindings: Bindings, owners: Mapping[IPAddress, str]) -> PacketEnds:
    """As what a packet would have come to who is behind the NATs that it was for."""
    passed: set[str] = set()
    while (nat := owners.get(ends.destination.address, "")) not in passed:
        passed.add(nat)
        ends = bindings.expected(nat, ends) or ends
    return ends


def _stations(crossings: Iterable[Crossing], switches: frozenset[str]) -> dict[str, str]:
    """The hosts by the hardware addresses from which they send."""
    found = {}
    for crossing in crossings:
        if crossing.sender not in switches and (ends := _hardware_ends(crossing)) is not None:
            found[ends[0]] = crossing.sender
    return found


def _hardware_ends(crossing: Crossing) -> tuple[str, str] | None:
    """Source and destination of an Ethernet frame; None of any other."""
    if crossing.is_plain:
        data = crossing.data
        return data[6:12].hex(":"), data[:6].hex(":")
    layer = crossing.packet.layers[0] if crossing.packet.layers else None
    return (layer.source, layer.destination) if isinstance(layer, Ethernet) else None


class _Journey:
    """One frame's ways from its sender on."""

    def __init__(
        self,
        next_of: Mapping[int, Sequence[Crossing]],
        fragments: Collection[int],
        stations: Mapping[str, str],
        owners: Mapping[IPAddress, str],
        devices: frozenset[str],
    ) -> None:
        self._next_of = next_of
        self._fragments = fragments
        self._stations = stations
        self._owners = owners
        self._devices = devices

    def ways(self, root: Crossing) -> Iterator[Crossing]:
        """The way to its destination, then those of its copies."""
        paths = list(self._paths(root))
        of_fragment: defaultdict[tuple[int, ...], list[list[Crossing]]] = defaultdict(list)
        for path in paths:
            cut = tuple(each.number for each in path if each.number in self._fragments)
            of_fragment[cut].append(path)
        # Of each fragment the way to the destination; the first where none is.
        ways = [of_fragment[()]] if () in of_fragment else of_fragment.values()
        mains = [
            each[0] if len(each) == 1 else max(each, key=self._is_destination) for each in ways
        ]
        yield self._joined(mains[0]) if () in of_fragment else self._whole(mains)
        covered = {crossing.number for main in mains for crossing in main}
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
        ends = _hardware_ends(last)
        if ends is not None and ends[1] in self._stations:
            return self._stations[ends[1]] == last.receiver
        return self._owner(last) == last.receiver

    def _owner(self, crossing: Crossing) -> str | None:
        """Whose address it is for; of a question for a hardware address, whose that is."""
        head = crossing.head
        if head is not None:
            address = head.ends[2].address
            return None if address.is_multicast else self._owners.get(address)
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
        if len(path) == 1 and is_there:
            return first
        hops = tuple(each.as_hop() for each in path)
        strikes = tuple(strike for each in path for strike in each.strikes)
        return first.changed(
            receiver=last.receiver if is_there else owner or last.receiver,
            received_ns=last.received_ns if is_there else None,
            hops=hops,
            strikes=strikes,
        )

    def _whole(self, paths: Sequence[Sequence[Crossing]]) -> Crossing:
        """The way of a packet that was cut: the ways of all its fragments.

        It has arrived when the last of them has, if they make up all of it.
        """
        ways = [self._joined(path) for path in paths]
        links: dict[int, Crossing] = {each.number: each for path in paths for each in path}
        ordered = sorted(links.values(), key=lambda each: each.time_ns)
        place_of = {each.number: place for place, each in enumerate(ordered)}
        follows = {
            after.number: place_of[before.number]
            for path in paths
            for before, after in pairwise(path)
        }
        hops = tuple(replace(each.as_hop(), follows=follows.get(each.number)) for each in ordered)
        came = [way.received_ns for way in ways if way.received_ns is not None]
        parts = carried_by(path[-1] for path in paths)
        (whole,) = carried_by(paths[0][:1])
        there = sum(min(p.end, whole.end) - max(p.start, whole.start) for p in parts)
        is_all = there == whole.end - whole.start
        return paths[0][0].changed(
            receiver=ways[0].receiver,
            received_ns=max(came) if is_all and len(came) == len(ways) else None,
            hops=hops,
            strikes=tuple(strike for each in ordered for strike in each.strikes),
        )
