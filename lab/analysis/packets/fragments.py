"""What part of a datagram a packet carries, where IP cut the datagram."""

from __future__ import annotations

from collections.abc import Hashable

from lab.analysis.packets.packet import Fragment, IPv4, IPv6, Packet, Tunnel, Vlan
from lab.frozen import frozen

REASSEMBLY_TIMEOUT_NS = 60_000_000_000
"""From the first fragment to arrive. Source: RFC 8200, 4.5; RFC 1122, 3.3.2."""


@frozen
class Piece:
    """One fragment's part of what follows the datagram's IP headers.

    Source: RFC 791, 3.2; RFC 8200, 4.5.
    """

    identification: int
    """The same in all of a datagram's fragments."""
    protocol: int
    """What the first byte of the whole begins, as this fragment says."""
    start: int
    end: int
    """In bytes; `end` is past the last."""
    more: bool
    """Whether it says that others follow."""


def piece_of(packet: Packet) -> Piece | None:
    """The part that a fragment carries; None for a packet that is no fragment."""
    found = _fragment(packet)
    return found[1] if found else None


def _fragment(packet: Packet) -> tuple[IPv4 | IPv6, Piece] | None:
    """The IP header that says so, and the part. There is one at most: no other is entered."""
    ip: IPv4 | IPv6 | None = None
    # By class: it is asked of each packet, again and again.
    for layer in packet.layers:
        kind = layer.__class__
        if kind is IPv4:
            assert isinstance(layer, IPv4)
            start, more = layer.fragment_offset, layer.more_fragments
            if start or more:
                end = start + layer.total_bytes - layer.header_bytes
                return layer, Piece(layer.identification, layer.protocol, start, end, more)
            ip = layer
        elif kind is IPv6:
            assert isinstance(layer, IPv6)
            ip = layer
        elif kind is Fragment and isinstance(ip, IPv6):
            assert isinstance(layer, Fragment)
            start, more = layer.fragment_offset, layer.more_fragments
            if start or more:
                end = start + ip.offset + 40 + ip.payload_bytes - (layer.offset + 8)
                return ip, Piece(layer.identification, layer.next_header, start, end, more)
    return None


def way_of(packet: Packet) -> tuple[Hashable, ...]:
    """What a packet is carried in: its VLANs, and the tunnels around it."""
    return tuple(
        layer.identifier
        if isinstance(layer, Vlan)
        else (layer.name, layer.identifiers, layer.source, layer.destination)
        for layer in packet.layers
        if isinstance(layer, Vlan | Tunnel)
    )


def datagram_of(packet: Packet) -> Hashable | None:
    """What all fragments of a datagram have in common; None for a packet that is no fragment."""
    found = _fragment(packet)
    if found is None:
        return None
    ip, piece = found
    around = packet.layers[: packet.layers.index(ip)]
    # Over IPv6 only the first fragment's protocol counts.
    protocol = piece.protocol if isinstance(ip, IPv4) else None
    way = way_of(Packet(packet.frame, around))
    return way, ip.source, ip.destination, piece.identification, protocol
