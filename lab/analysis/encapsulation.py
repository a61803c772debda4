"""What packets are carried in, VLANs and tunnels, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import Flow, transport_endpoints
from lab.analysis.packets.packet import (
    Encapsulation,
    Ethernet,
    Extension,
    IPv4,
    IPv6,
    Layer,
    Packet,
    Payload,
    Tunnel,
    Vlan,
)
from lab.model.counted import counted

_WIREGUARD_PORT, _WIREGUARD_TYPES = 51820, (1, 2, 3, 4)
_L2TP_PORT, _ESP_PORT, _GTP_PORT = 1701, 4500, 2152
_L2TP_CONTROL, _GTP_PACKET = 0x80, 255

_BY_PROTOCOL = {
    47: "GRE",
    50: "ESP, encrypted",
    55: "minimal encapsulation",
    97: "EtherIP",
    108: "IPComp, compressed",
    115: "L2TP",
    137: "MPLS",
}
"""By IP's protocol number: tunnels, of which some are never entered and others not always."""

_BY_TYPE = {
    0x22F3: "TRILL",
    0x4305: "batman-adv",
    0x8847: "MPLS",
    0x8848: "MPLS",
    0x8864: "PPPoE session",
    0x88E5: "MACsec",
    0x88E7: "PBB",
    0x8903: "FabricPath",
    0x894F: "NSH",
}
"""The same by EtherType."""

_FIRST_TYPE = 0x0600
"""Below it the number after the addresses is a length. Source: IEEE 802.3, 3.2.6."""


def carried_in(packet: Packet) -> str:
    """ "in VLAN 10, through VXLAN 7 from 10.0.0.1 to 10.0.0.2"; "" on a link as it is."""
    return ", ".join(_carriers(packet))


def _carriers(packet: Packet) -> Iterator[str]:
    for layer in packet.layers:
        if isinstance(layer, Vlan):
            yield f"in VLAN {layer.identifier}"
        elif isinstance(layer, Tunnel):
            numbers = "".join(f" {each}" for each in layer.identifiers)
            ends = f" from {layer.source} to {layer.destination}" if layer.source else ""
            yield f"through {layer.name}{numbers}{ends}"


def not_entered(packet: Packet) -> str:
    """What tunnel a packet carries that is not entered; "" for any other.

    Source: of WireGuard's port and types its white paper, 5.4; RFC 3193 and RFC 3948 of 1701
    and 4500.
    """
    udp, data = packet.udp, packet.payload
    if udp is None:
        return _by_number(packet.own)
    ports = (udp.source_port, udp.destination_port)
    if _WIREGUARD_PORT in ports and data[:1] and data[0] in _WIREGUARD_TYPES:
        return "WireGuard, encrypted" if data[1:4] == bytes(3) else ""
    if _L2TP_PORT in ports:
        return "L2TP" if data[:1] and not data[0] & _L2TP_CONTROL else ""
    if udp.destination_port == _GTP_PORT:
        return "GTP-U" if data[1:2] and data[1] == _GTP_PACKET else ""
    # Four zeros are IKE's, one byte is a keep-alive.
    return "ESP, encrypted" if _ESP_PORT in ports and data[4:] and any(data[:4]) else ""


def _by_number(layers: Sequence[Layer]) -> str:
    """By the number that the last header has for what follows it."""
    if not layers or not isinstance(layers[-1], Payload):
        return ""
    for layer in reversed(layers[:-1]):
        if isinstance(layer, IPv4):
            return _BY_PROTOCOL.get(layer.protocol, "")
        if isinstance(layer, IPv6 | Extension):
            return _BY_PROTOCOL.get(layer.next_header, "")
        if isinstance(layer, Ethernet | Vlan | Encapsulation):
            return _BY_TYPE.get(layer.type, "")
        return ""
    return ""


def describe_ends(packet: Packet) -> str:
    """ "from 10.0.0.1 to 10.0.0.2", or the hardware addresses of what is no IP; "" without any."""
    ip = packet.ip
    if ip is not None:
        return f"from {ip.source} to {ip.destination}"
    ethernets = [layer for layer in packet.own if isinstance(layer, Ethernet)]
    return f"from {ethernets[-1].source} to {ethernets[-1].destination}" if ethernets else ""


def describe_link(layers: Sequence[Layer]) -> str:
    """What is on a link where nothing above it is dissected; "" if that is unknown."""
    kinds = [layer.type for layer in layers if isinstance(layer, Ethernet | Vlan)]
    if not kinds:
        return ""
    if kinds[-1] < _FIRST_TYPE:
        return f"802.3 frame of {counted(kinds[-1], 'byte')}"
    return f"Ethernet type {kinds[-1]:#06x}"


def carriers_differ(flow: Flow) -> bool:
    """Whether what carries one side's packets changes, so that it is to be said of each."""
    return any(len(texts) > 1 for texts in _of_sides(flow))


def flow_carriers(flow: Flow) -> Iterator[str]:
    """What carries all of the flow's packets, in a sentence or two; nothing if that changes."""
    sides = _of_sides(flow)
    if any(len(texts) > 1 for texts in sides):
        return
    to_right, to_left = (next(iter(texts), "") for texts in sides)
    if to_right == to_left or not to_left:
        if to_right:
            yield to_right
        return
    if to_right:
        yield f"to the right {to_right}"
    yield f"to the left {to_left}"


def _of_sides(flow: Flow) -> tuple[dict[str, None], dict[str, None]]:
    """The texts of the packets of `a` and of `b`."""
    sides: tuple[dict[str, None], dict[str, None]] = ({}, {})
    crossings = flow.crossings or flow.parts
    # Most are carried in nothing, and who sent a packet takes longer to find.
    if not any(_is_carried(crossing.packet) for crossing in crossings):
        return sides
    for crossing in crossings:
        text = carried_in(crossing.packet)
        sides[not _is_from_a(crossing, flow)][text] = None
    return sides


def _is_carried(packet: Packet) -> bool:
    return bool(packet.inner) or any(layer.__class__ is Vlan for layer in packet.layers)


def _is_from_a(crossing: Crossing, flow: Flow) -> bool:
    ends = transport_endpoints(crossing.packet)
    if ends is not None:
        return ends[0] == flow.a
    return crossing.packet.ip is None or crossing.packet.ip.source == flow.a.address
