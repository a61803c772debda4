"""What a switch, a router or a NAT has changed of a packet that it forwarded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from lab.analysis.flows.flow import transport_endpoints
from lab.analysis.packets.packet import (
    Ethernet,
    Fragment,
    Icmp,
    IPv4,
    IPv6,
    Layer,
    Packet,
    Tcp,
    TcpStart,
    Udp,
    UdpStart,
)
from lab.frozen import frozen
from lab.model.address import SocketAddress

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Hop

ChangedField = Literal[
    "source",
    "destination",
    "identifier",
    "quoted_source",
    "quoted_destination",
    "fragment",
    "joined_fragment",
    "ttl",
    "hop_limit",
    "fragment_identification",
    "header_checksum",
    "checksum",
    "hardware_source",
    "hardware_destination",
]


@frozen
class Change:
    """One field of a packet's headers that is another one behind a device."""

    field: ChangedField
    """`fragment` is what a packet carries of its datagram, from which byte to which: a router has
    cut it; `joined_fragment` where a NAT has joined it with others before. `source` and
    `destination` are addresses with their ports where the packet has any, of what was cut without;
    `quoted_…` are those of the packet that an ICMP error quotes; `identifier` is an echo's."""
    before: int | str
    after: int | str


def changes(before: Packet, after: Packet) -> tuple[Change, ...]:
    """The fields that differ between a packet on one link and the same on the next.

    Addresses first, then what a router changes of each packet, then the frame's own.
    """
    found = []
    carried, carries = _carried(before), _carried(after)
    is_cut = carried != carries
    if is_cut and carried is not None and carries is not None:
        is_inside = carried[0] <= carries[0] and carries[1] <= carried[1]
        field: ChangedField = "fragment" if is_inside else "joined_fragment"
        found.append(Change(field, _said(carried), _said(carries)))
    for field, read in _FIELDS:
        if is_cut and field in _OF_THE_WHOLE:
            # A fragment need not have them; addresses each has.
            read = _OF_EACH.get(field, _nothing)
        one, other = read(before), read(after)
        if one is not None and other is not None and one != other:
            found.append(Change(field, one, other))
    return tuple(found)


def changes_between(before: Hop, after: Hop) -> tuple[Change, ...]:
    """The same of a frame on two of its links, whose packets are not made where both are plain."""
    one, other = before.head, after.head
    if one is None or other is None or one.ends != other.ends or one.length != other.length:
        return changes(before.packet, after.packet)
    data, altered = before.data, after.data
    if data == altered:
        return ()
    is_ipv4 = data[_ETHERTYPE] == _OF_IPV4
    if data[_ETHERTYPE] != altered[_ETHERTYPE] or (is_ipv4 and data[_TOTAL] != altered[_TOTAL]):
        return changes(before.packet, after.packet)
    found: list[Change] = []
    for field, place in _PLACES[is_ipv4, one.ends[0] == "tcp"]:
        was, is_now = data[place], altered[place]
        if was == is_now:
            continue
        if field in _HARDWARE:
            found.append(Change(field, was.hex(":"), is_now.hex(":")))
        else:
            found.append(Change(field, int.from_bytes(was, "big"), int.from_bytes(is_now, "big")))
    return tuple(found)


def lifetime_of(hop: Hop) -> int | None:
    """The TTL or hop limit of a packet on a link; None where it has neither."""
    if hop.head is None:
        return hop.packet.lifetime
    data = hop.data
    return data[_TTL if data[_ETHERTYPE] == _OF_IPV4 else _HOP_LIMIT]


# Places in a plain frame of Ethernet.
_ETHERTYPE, _TOTAL = slice(12, 14), slice(16, 18)
_OF_IPV4 = b"\x08\0"
_TTL, _HOP_LIMIT = 22, 21
_HARDWARE = frozenset({"hardware_source", "hardware_destination"})


def _places(*, is_ipv4: bool, is_tcp: bool) -> tuple[tuple[ChangedField, slice], ...]:
    """Where the fields are that a router changes of each packet."""
    checksum = (34 if is_ipv4 else 54) + (16 if is_tcp else 6)
    of_ipv4: tuple[tuple[ChangedField, slice], ...] = (
        ("ttl", slice(_TTL, _TTL + 1)),
        ("header_checksum", slice(24, 26)),
    )
    return (
        *(of_ipv4 if is_ipv4 else (("hop_limit", slice(_HOP_LIMIT, _HOP_LIMIT + 1)),)),
        ("checksum", slice(checksum, checksum + 2)),
        ("hardware_source", slice(6, 12)),
        ("hardware_destination", slice(0, 6)),
    )


_PLACES = {
    (is_ipv4, is_tcp): _places(is_ipv4=is_ipv4, is_tcp=is_tcp)
    for is_ipv4 in (False, True)
    for is_tcp in (False, True)
}

_Value = int | str | None


def _carried(packet: Packet) -> tuple[int, int] | None:
    """From which byte behind the IP header of its datagram to which, that too; of IPv4 alone."""
    ip = packet.ip
    if not isinstance(ip, IPv4):
        return None
    start = ip.fragment_offset
    return start, start + ip.total_bytes - ip.header_bytes - 1


def _said(carried: tuple[int, int]) -> str:
    """ "0-1255"."""
    return f"{carried[0]}-{carried[1]}"


def _nothing(_: Packet) -> None:
    return None


def _source_address(packet: Packet) -> _Value:
    return None if packet.ip is None else str(packet.ip.source)


def _destination_address(packet: Packet) -> _Value:
    return None if packet.ip is None else str(packet.ip.destination)


def _source(packet: Packet) -> _Value:
    return _end(packet, 0)


def _destination(packet: Packet) -> _Value:
    return _end(packet, 1)


def _end(packet: Packet, side: int) -> _Value:
    ip = packet.ip
    if ip is None:
        return None
    ends = transport_endpoints(packet)
    return str((ip.source, ip.destination)[side] if ends is None else ends[side])


def _quoted_source(packet: Packet) -> _Value:
    return _quoted_end(packet, 0)


def _quoted_destination(packet: Packet) -> _Value:
    return _quoted_end(packet, 1)


def _quoted_end(packet: Packet, side: int) -> _Value:
    quoted: tuple[Layer, ...] = packet.icmp.quoted if packet.icmp is not None else ()
    ip = next((layer for layer in quoted if isinstance(layer, IPv4 | IPv6)), None)
    if ip is None:
        return None
    address = (ip.source, ip.destination)[side]
    for layer in quoted:
        if isinstance(layer, Tcp | TcpStart | Udp | UdpStart):
            port = (layer.source_port, layer.destination_port)[side]
            return str(SocketAddress(address, port))
    return str(address)


def _identifier(packet: Packet) -> _Value:
    return None if packet.icmp is None else packet.icmp.identifier


def _ttl(packet: Packet) -> _Value:
    return packet.ip.ttl if isinstance(packet.ip, IPv4) else None


def _hop_limit(packet: Packet) -> _Value:
    return packet.ip.hop_limit if isinstance(packet.ip, IPv6) else None


def _fragment_identification(packet: Packet) -> _Value:
    found = (layer.identification for layer in packet.own if isinstance(layer, Fragment))
    return next(found, None)


def _header_checksum(packet: Packet) -> _Value:
    return packet.ip.checksum if isinstance(packet.ip, IPv4) else None


def _checksum(packet: Packet) -> _Value:
    found = (layer.checksum for layer in packet.own if isinstance(layer, Tcp | Udp | Icmp))
    return next(found, None)


def _hardware_source(packet: Packet) -> _Value:
    layer = packet.layers[0] if packet.layers else None
    return layer.source if isinstance(layer, Ethernet) else None


def _hardware_destination(packet: Packet) -> _Value:
    layer = packet.layers[0] if packet.layers else None
    return layer.destination if isinstance(layer, Ethernet) else None


_FIELDS: tuple[tuple[ChangedField, Callable[[Packet], _Value]], ...] = (
    ("source", _source),
    ("destination", _destination),
    ("identifier", _identifier),
    ("quoted_source", _quoted_source),
    ("quoted_destination", _quoted_destination),
    ("ttl", _ttl),
    ("hop_limit", _hop_limit),
    ("fragment_identification", _fragment_identification),
    ("header_checksum", _header_checksum),
    ("checksum", _checksum),
    ("hardware_source", _hardware_source),
    ("hardware_destination", _hardware_destination),
)

_OF_THE_WHOLE = frozenset({"source", "destination", "identifier", "checksum"})
"""What stands in, or is said with, the transport's header."""

_OF_EACH: dict[ChangedField, Callable[[Packet], _Value]] = {
    "source": _source_address,
    "destination": _destination_address,
}
