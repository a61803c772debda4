"""What packets are carried in, VLANs and tunnels, in words."""

from __future__ import annotations

from collections.abc import Iterator

from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import Flow, transport_endpoints
from lab.analysis.packets.packet import Packet, Tunnel, Vlan

_ESP, _L2TP = 50, 115
_WIREGUARD_PORT, _WIREGUARD_TYPES = 51820, (1, 2, 3, 4)
_L2TP_PORT, _ESP_PORT = 1701, 4500

NOT_ENTERED = {_ESP: "ESP, encrypted", _L2TP: "L2TP"}
"""By IP's protocol number: tunnels of which the outside is all there is to see."""


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
    """What a packet carries that is not entered, and why; "" for any other.

    Source: of WireGuard's port and types its white paper, 5.4; RFC 3193 and RFC 3948 of 1701
    and 4500.
    """
    udp, data = packet.udp, packet.payload
    if udp is None:
        return ""
    ports = (udp.source_port, udp.destination_port)
    if _WIREGUARD_PORT in ports and data[:1] and data[0] in _WIREGUARD_TYPES:
        return "WireGuard, encrypted" if data[1:4] == bytes(3) else ""
    if _L2TP_PORT in ports:
        return "L2TP"
    # Four zeros are IKE's, one byte is a keep-alive.
    return "ESP, encrypted" if _ESP_PORT in ports and data[4:] and any(data[:4]) else ""


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
