"""What part of a datagram a packet carries, where IP cut the datagram."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from lab.analysis.packets.packet import Fragment, IPv4, IPv6, Packet, Vlan

REASSEMBLY_TIMEOUT_NS = 60_000_000_000
"""From the first fragment to arrive. Source: RFC 8200, 4.5; RFC 1122, 3.3.2."""


@dataclass(frozen=True, slots=True)
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
    ip = packet.ip
    if isinstance(ip, IPv4):
        if not ip.more_fragments and not ip.fragment_offset:
            return None
        end = ip.fragment_offset + ip.total_bytes - ip.header_bytes
        return Piece(ip.identification, ip.protocol, ip.fragment_offset, end, ip.more_fragments)
    header = next((layer for layer in packet.layers if isinstance(layer, Fragment)), None)
    if not isinstance(ip, IPv6) or header is None:
        return None
    start = header.fragment_offset
    if not start and not header.more_fragments:
        return None
    size = ip.offset + 40 + ip.payload_bytes - (header.offset + 8)
    return Piece(
        header.identification, header.next_header, start, start + size, header.more_fragments
    )


def datagram_of(packet: Packet) -> Hashable | None:
    """What all fragments of a datagram have in common; None for a packet that is no fragment."""
    piece, ip = piece_of(packet), packet.ip
    if piece is None or ip is None:
        return None
    vlans = tuple(layer.identifier for layer in packet.layers if isinstance(layer, Vlan))
    # Over IPv6 only the first fragment's protocol counts.
    protocol = piece.protocol if isinstance(ip, IPv4) else None
    return vlans, ip.source, ip.destination, piece.identification, protocol
