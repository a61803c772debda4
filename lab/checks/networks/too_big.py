"""The messages of routers that a packet is too big for the next link, and what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.packets.packet import IPv4, IPv6, Tcp, TcpStart, Udp, UdpStart

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.packets.packet import Packet
    from lab.analysis.timeline import Timeline

TOO_BIG = frozenset({(4, 3, 4), (6, 2, 0)})
"""Fragmentation needed and DF set; Packet Too Big: version, type, code. Source: RFC 792; RFC 1191,
4; RFC 4443, 3.2."""


def too_big_messages(timeline: Timeline) -> list[Crossing]:
    """All of them, those too that were lost on their way."""
    return [
        crossing
        for crossing in timeline.crossings
        if (icmp := crossing.packet.icmp) is not None
        and (icmp.version, icmp.type, icmp.code) in TOO_BIG
    ]


def named_mtu(message: Crossing) -> int | None:
    """The MTU, in bytes, that such a message names."""
    return message.packet.icmp.mtu if message.packet.icmp else None


def quotes(message: Crossing, crossing: Crossing) -> bool:
    """Whether a message is about this datagram or segment: by addresses, ports, sequence number."""
    icmp, ip, udp, tcp = (
        message.packet.icmp,
        crossing.packet.ip,
        crossing.packet.udp,
        crossing.packet.tcp,
    )
    if icmp is None or ip is None:
        return False
    is_ip = is_transport = False
    for layer in icmp.quoted:
        match layer:
            case IPv4() | IPv6():
                is_ip = (layer.source, layer.destination) == (ip.source, ip.destination)
            case Udp() | UdpStart() if udp is not None:
                is_transport = layer.source_port == udp.source_port
            case Tcp() | TcpStart() if tcp is not None:
                is_transport = (layer.source_port, layer.seq) == (tcp.source_port, tcp.seq)
    return is_ip and is_transport


def ip_bytes(packet: Packet) -> int:
    """The bytes of a packet with its IP header, which an MTU is a limit of; 0 if it is none."""
    ip = packet.ip
    if isinstance(ip, IPv4):
        return ip.total_bytes
    return 40 + ip.payload_bytes if ip is not None else 0
