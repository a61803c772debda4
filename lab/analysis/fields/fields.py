"""Packet → its fields, from the first byte of the frame to the last.

    fields      every layer in turn
      link        Ethernet, VLAN tags, cooked captures, ARP
      internet    IPv4, IPv6, ICMP and the packet that an error quotes
      transport   TCP with its options, UDP
        layout    a header's table of fields, applied to bytes at a place

Layers of which the lab reads no more than what follows them (tunnels, extension headers, the
rarer link types) are one field each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lab.analysis.fields.field import HeaderField
from lab.analysis.fields.internet import (
    PROTOCOLS,
    fragment_fields,
    icmp_fields,
    ipv4_fields,
    ipv6_fields,
)
from lab.analysis.fields.layout import whole
from lab.analysis.fields.link import link_fields
from lab.analysis.fields.transport import cut_tcp_fields, tcp_fields, udp_fields
from lab.analysis.packets.packet import (
    Arp,
    Cooked,
    Encapsulation,
    Ethernet,
    Extension,
    Fragment,
    Icmp,
    IPv4,
    IPv6,
    Layer,
    Loopback,
    Malformed,
    Packet,
    Payload,
    Tcp,
    TcpStart,
    Tunnel,
    Udp,
    UdpStart,
    Vlan,
)


def fields_of(packet: Packet) -> tuple[HeaderField, ...]:
    """The fields of the packet's frame, in order of their places, each within its bytes.

    Of a frame that completes a fragmented datagram, the fields are the last fragment's own: the
    headers of the whole datagram stand in other frames.
    """
    data = packet.frame.data
    return tuple(_fields(data, _own_layers(packet), len(data)))


def _own_layers(packet: Packet) -> tuple[Layer, ...]:
    """The layers whose bytes are the frame's own; behind a fragment's header, its bytes."""
    if not packet.reassembled:
        return packet.layers
    for place, layer in enumerate(packet.layers):
        if isinstance(layer, Fragment):
            return (*packet.layers[: place + 1], Payload(layer.offset + 8, b""))
        if isinstance(layer, IPv4) and (layer.more_fragments or layer.fragment_offset):
            return (*packet.layers[: place + 1], Payload(layer.offset + layer.header_bytes, b""))
    return packet.layers


def _fields(data: bytes, layers: Sequence[Layer], end: int) -> Iterator[HeaderField]:
    at = 0
    for place, layer in enumerate(layers):
        after = layers[place + 1].offset if place + 1 < len(layers) else end
        for field in _of_layer(data, layer, after, layers[place - 1] if place else None):
            at = max(at, field.shape.end_byte)
            yield field
    if at < end:
        yield from whole(
            data, at, end, "Behind the packet", "padding or trailer", "IEEE 802.3, 3.2.8"
        )


def _of_layer(data: bytes, layer: Layer, after: int, before: Layer | None) -> Iterator[HeaderField]:
    """A layer's fields; `after` is where the next one begins."""
    match layer:
        case Ethernet() | Vlan() | Cooked() | Loopback() | Arp():
            yield from link_fields(data, layer)
        case IPv4():
            yield from ipv4_fields(data, layer)
        case IPv6():
            yield from ipv6_fields(data, layer)
        case Fragment():
            yield from fragment_fields(data, layer)
        case Icmp():
            yield from icmp_fields(data, layer)
            yield from _fields_of_quoted(data, layer)
        case Tcp():
            yield from tcp_fields(data, layer)
        case TcpStart():
            yield from cut_tcp_fields(data, layer)
        case Udp() | UdpStart():
            yield from udp_fields(data, layer)
        case Payload():
            length = len(layer.data) or len(data) - layer.offset
            yield from _payload(data, layer.offset, layer.offset + length, before)
        case Extension():
            name = PROTOCOLS.get(layer.header, "extension header")
            end = layer.offset + layer.header_bytes
            yield from whole(data, layer.offset, end, name, "header", "RFC 8200, 4")
        case Encapsulation() | Tunnel():
            yield from whole(data, layer.offset, after, layer.name, "header", "")
        case Malformed():
            yield from whole(data, layer.offset, after, layer.layer, layer.reason, "")


def _fields_of_quoted(data: bytes, layer: Icmp) -> Iterator[HeaderField]:
    """Those of the packet that an error quotes, whose layers have their places in the frame."""
    for place, quoted in enumerate(layer.quoted):
        after = layer.quoted[place + 1].offset if place + 1 < len(layer.quoted) else len(data)
        before = layer.quoted[place - 1] if place else None
        for field in _of_layer(data, quoted, after, before):
            yield _named_quoted(field, layer.version)


def _named_quoted(field: HeaderField, version: int) -> HeaderField:
    """Named after where it stands. What ICMP quotes Wireshark names in one case otherwise.

    There the sequence number is tcp.seq, never relative; ICMPv6 quotes it as tcp.seq_raw.
    """
    shape = field.shape
    name = shape.abbreviation
    name = "tcp.seq" if version == 4 and name == "tcp.seq_raw" else name
    shape = replace(shape, header=f"{shape.header}, quoted", abbreviation=name)
    return replace(field, shape=shape)


def _payload(data: bytes, at: int, end: int, before: Layer | None) -> Iterator[HeaderField]:
    match before:
        case Tcp():
            yield from whole(data, at, end, "Payload", "bytes of the stream", "", "tcp.payload")
        case Udp():
            yield from whole(data, at, end, "Payload", "datagram's bytes", "", "udp.payload")
        case _:
            yield from whole(data, at, end, "Payload", "bytes", "")
