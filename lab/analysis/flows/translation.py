"""What a NAT changes of a packet and what it leaves, and which packet it made of which.

Of a packet that it forwards a NAT changes addresses, ports or the identifier of an ICMP echo, the
checksums over them, and as any router the TTL; of an ICMP error the same of the packet that it
quotes. Source: RFC 3022, 4; RFC 5508, 4; RFC 792; RFC 4443.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.packets.packet import IPAddress, IPv4, IPv6, Packet
from lab.model.address import SocketAddress
from lab.records import Translation

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing, Hop

TCP, UDP, UDP_LITE, SCTP, ICMP, ICMPV6 = 6, 17, 136, 132, 1, 58
_IPV4_TTL, _IPV6_HOP_LIMIT = 8, 7
"""Their places in an IP header."""
_IPV4_CHECKSUM, _IPV4_ADDRESSES, _IPV6_ADDRESSES = slice(10, 12), slice(12, 20), slice(8, 40)
_IPV6_HEADER_BYTES, _ETHERNET_BYTES = 40, 14
_FRAGMENT = 44
_FRAGMENT_HEADER_BYTES = 8
_EXTENSIONS = frozenset({0, 43, 60})
"""Hop-by-hop options, routing and destination options: they say how long they are."""
_ECHO = {ICMP: frozenset({0, 8}), ICMPV6: frozenset({128, 129})}
_ERRORS = {ICMP: frozenset({3, 4, 5, 11, 12}), ICMPV6: frozenset({1, 2, 3, 4})}
_ICMP_CHECKSUM, _IDENTIFIER = slice(2, 4), slice(4, 6)
_QUOTE = 8
"""Where an ICMP error has the packet that it quotes."""
_PORTS = slice(0, 4)
_CHECKSUM = {TCP: slice(16, 18), UDP: slice(6, 8), UDP_LITE: slice(6, 8), SCTP: slice(8, 12)}


class PacketEnds(NamedTuple):
    """Between whom a packet goes; of an ICMP error, between whom an answer would go in its place.

    That is from where the quoted packet went to where it came from, whoever sent the error.
    """

    protocol: int
    """By its number in an IP header."""
    source: SocketAddress
    """Its port is the identifier of an ICMP echo, at both ends; 0 where there is neither."""
    destination: SocketAddress

    @property
    def back(self) -> PacketEnds:
        """Those of an answer."""
        return PacketEnds(self.protocol, self.destination, self.source)

    @property
    def has_ports(self) -> bool:
        """Whether they tell one conversation from all others."""
        return bool(self.source.port or self.destination.port)

    def __str__(self) -> str:
        return f"{self.source} > {self.destination}"


class _Header(NamedTuple):
    """Where an IP header ends, and what follows."""

    protocol: int
    end: int
    is_first: bool
    """Whether what follows begins with the transport header: of fragments only the first."""
    fragment_id: slice
    """Where a Fragment header of IPv6 has its identification; else empty."""


def packet_bytes(packet: Packet) -> bytes | None:
    """The bytes of the IP packet in a frame, without padding; None where there is none."""
    ip = next((ip for ip in packet.own if isinstance(ip, IPv4 | IPv6)), None)
    if ip is None:
        return None
    length = ip.total_bytes if isinstance(ip, IPv4) else _IPV6_HEADER_BYTES + ip.payload_bytes
    return packet.frame.data[ip.offset : ip.offset + length]


def bytes_of_packet(crossing: Crossing | Hop) -> bytes | None:
    """The same of a frame on a link, whose packet is not made where that is plain."""
    if crossing.head is None:
        return packet_bytes(crossing.packet)
    packet = crossing.data[_ETHERNET_BYTES:]
    return packet[: _total_bytes(packet)]


def _total_bytes(packet: bytes) -> int:
    """The length of an IP packet, by its header."""
    if packet[0] >> 4 == 4:
        return packet[2] << 8 | packet[3]
    return _IPV6_HEADER_BYTES + (packet[4] << 8 | packet[5])


def routed_part(packet: bytes) -> bytes:
    """What a router leaves as it is: an IP packet without its TTL and its checksum."""
    data = bytearray(packet)
    _clear_lifetime(data)
    return bytes(data)


def translated_part(packet: bytes) -> bytes:
    """What a NAT leaves as it is, with zeros for all else.

    It puts fragments together and makes new ones, which for IPv6 have another identification.
    """
    data = bytearray(packet)
    _clear_lifetime(data)
    _clear_translated(data, 0)
    return bytes(data)


def ends_of_packet(packet: bytes) -> PacketEnds | None:
    """Between whom it goes; None for what is no IP packet.

    A fragment behind the first has no ports. Source: RFC 791, 3.2; RFC 8200, 4.5.
    """
    return _ends(packet, is_quoted=False)


def _clear_lifetime(data: bytearray) -> None:
    if len(data) > _IPV4_TTL and data[0] >> 4 == 4:
        data[_IPV4_TTL] = 0
        _clear(data, 0, _IPV4_CHECKSUM)
    elif len(data) > _IPV6_HOP_LIMIT:
        data[_IPV6_HOP_LIMIT] = 0


def _clear_translated(data: bytearray, start: int) -> None:
    """Clear in the packet that begins there, and in one that it quotes."""
    header = _header(data, start)
    if header is None:
        return
    if data[start] >> 4 == 4:
        _clear(data, start, _IPV4_CHECKSUM)
        _clear(data, start, _IPV4_ADDRESSES)
    else:
        _clear(data, start, _IPV6_ADDRESSES)
        _clear(data, 0, header.fragment_id)
    if not header.is_first:
        return
    if header.protocol in _CHECKSUM:
        _clear(data, header.end, _PORTS)
        _clear(data, header.end, _CHECKSUM[header.protocol])
    elif header.protocol in _ECHO and header.end < len(data):
        _clear(data, header.end, _ICMP_CHECKSUM)
        if data[header.end] in _ECHO[header.protocol]:
            _clear(data, header.end, _IDENTIFIER)
        elif data[header.end] in _ERRORS[header.protocol]:
            _clear_translated(data, header.end + _QUOTE)


def _clear(data: bytearray, start: int, place: slice) -> None:
    """Put zeros there, as far as there is anything."""
    for at in range(start + place.start, min(start + place.stop, len(data))):
        data[at] = 0


def _header(data: bytes | bytearray, start: int) -> _Header | None:
    """Of the IP packet that begins there; None where there is no whole header."""
    version = data[start] >> 4 if start < len(data) else 0
    if version == 4 and len(data) >= start + 20:
        length = (data[start] & 0xF) * 4
        offset = int.from_bytes(data[start + 6 : start + 8], "big") & 0x1FFF
        return _Header(data[start + 9], start + length, not offset, slice(0, 0))
    if version != 6 or len(data) < start + _IPV6_HEADER_BYTES:
        return None
    protocol, at, is_first, fragment_id = (
        data[start + 6],
        start + _IPV6_HEADER_BYTES,
        True,
        slice(0, 0),
    )
    while is_first and at + _FRAGMENT_HEADER_BYTES <= len(data):
        if protocol == _FRAGMENT:
            is_first = int.from_bytes(data[at + 2 : at + 4], "big") < _FRAGMENT_HEADER_BYTES
            fragment_id = slice(at + 4, at + 8)
            protocol, at = data[at], at + _FRAGMENT_HEADER_BYTES
        elif protocol in _EXTENSIONS:
            protocol, at = data[at], at + 8 * (data[at + 1] + 1)
        else:
            break
    return _Header(protocol, at, is_first, fragment_id)


def _ends(data: bytes, *, is_quoted: bool) -> PacketEnds | None:
    header = _header(data, 0)
    if header is None:
        return None
    addresses = data[_IPV4_ADDRESSES] if data[0] >> 4 == 4 else data[_IPV6_ADDRESSES]
    half = len(addresses) // 2
    source, destination = ip_address(addresses[:half]), ip_address(addresses[half:])
    rest, protocol = data[header.end :] if header.is_first else b"", header.protocol
    ports = (0, 0)
    if protocol in _CHECKSUM and len(rest) >= _PORTS.stop:
        ports = int.from_bytes(rest[:2], "big"), int.from_bytes(rest[2:4], "big")
    elif protocol in _ECHO and rest:
        if rest[0] in _ERRORS[protocol] and not is_quoted:
            quoted = _ends(rest[_QUOTE:], is_quoted=True)
            return quoted and quoted.back
        if rest[0] in _ECHO[protocol]:
            ports = (int.from_bytes(rest[_IDENTIFIER], "big"),) * 2
    return PacketEnds(
        protocol, SocketAddress(source, ports[0]), SocketAddress(destination, ports[1])
    )


class Bindings:
    """What the NATs of a step make of what: by their own tables, and by the frames so far."""

    def __init__(
        self, owned: Mapping[str, frozenset[IPAddress]], recorded: Iterable[Translation]
    ) -> None:
        """`owned` are each NAT's own addresses, by its host."""
        self._owned = owned
        self._seen: dict[tuple[str, PacketEnds], PacketEnds] = {}
        self._every: defaultdict[tuple[str, PacketEnds], dict[PacketEnds, None]] = defaultdict(dict)
        self._recorded: dict[tuple[str, PacketEnds], PacketEnds] = {}
        self._table: list[tuple[str, PacketEnds, PacketEnds]] = []
        for each in recorded:
            if (pair := _recorded_ends(each)) is not None and pair[0].has_ports:
                came, left = pair
                self._table.append((each.host, came, left))
                self._recorded[each.host, came] = left
                self._recorded[each.host, left.back] = came.back

    def expected(self, nat: str, came: PacketEnds) -> PacketEnds | None:
        """As what a packet that came so leaves the NAT; None where neither shows it."""
        key = nat, came
        return self._seen.get(key) or self._recorded.get(key)

    def learn(self, nat: str, came: PacketEnds, left: PacketEnds) -> None:
        """A frame that came so has left so."""
        if came != left and came.has_ports:
            for one, other in ((came, left), (left.back, came.back)):
                self._seen[nat, one] = other
                self._every[nat, one][other] = None

    def choose(self, nat: str, waiting: Sequence[PacketEnds], left: PacketEnds) -> list[int]:
        """The places of those among the waiting that may have left so: the first of the best.

        Better than one of which nothing is known is one that is known to leave so, and worse one
        that left otherwise before. There are several only where they are not of one conversation
        and nothing tells them apart.
        """
        ranks: defaultdict[int, list[int]] = defaultdict(list)
        for place, came in enumerate(waiting):
            if self._can_leave_so(nat, came, left):
                expected = self.expected(nat, came) or (came if came == left else None)
                ranks[1 if expected is None else 2 if expected == left else 0].append(place)
        best = ranks[max(ranks)] if ranks else []
        return best[:1] if len({waiting[place] for place in best}) == 1 else best

    def _can_leave_so(self, nat: str, came: PacketEnds, left: PacketEnds) -> bool:
        """Whether a source NAT may have made one of the other, there or back."""
        owned = self._owned.get(nat, frozenset())
        is_there = left.source.address in owned
        is_back = came.destination.address in owned
        return came.protocol == left.protocol and (
            came == left
            or (is_there and _is_same(came.protocol, came.destination, left.destination))
            or (is_back and _is_same(came.protocol, came.source, left.source))
        )

    def may_be_cut(self, nat: str, came: PacketEnds, left: PacketEnds) -> bool:
        """Whether a fragment that left so, which need not have ports, may be of what came so."""
        expected = self.expected(nat, came)
        if left.has_ports and expected is not None:
            return left == expected
        owned = self._owned.get(nat, frozenset())
        (came_from, came_for), (left_from, left_for) = (
            (each.source.address, each.destination.address) for each in (came, left)
        )
        return came.protocol == left.protocol and (
            (came_from, came_for) == (left_from, left_for)
            or (left_from in owned and came_for == left_for)
            or (came_for in owned and came_from == left_from)
        )

    def contradictions(self) -> list[str]:
        """Where a NAT's table has another translation than all frames of that conversation."""
        found = []
        for nat, came, left in self._table:
            seen = self._every.get((nat, came), {})
            if seen and left not in seen:
                found.append(
                    f"{nat} translates {came} into {left} by its own table, and into "
                    f"{next(iter(seen))} by the frames: one of the two is wrong"
                )
        return found


def _is_same(protocol: int, one: SocketAddress, other: SocketAddress) -> bool:
    """Whether that end is left as it is; an echo's identifier stands at both."""
    return one.address == other.address and (protocol in _ECHO or one.port == other.port)


def _recorded_ends(each: Translation) -> tuple[PacketEnds, PacketEnds] | None:
    """As what it came and as what it left; None where an address is none."""
    try:
        came, left = (
            PacketEnds(
                each.protocol,
                SocketAddress(ip_address(source), source_port),
                SocketAddress(ip_address(destination), destination_port),
            )
            for source, source_port, destination, destination_port in (
                (each.source, each.source_port, each.destination, each.destination_port),
                (
                    each.left_source,
                    each.left_source_port,
                    each.left_destination,
                    each.left_destination_port,
                ),
            )
        )
    except ValueError:
        return None
    return came, left
