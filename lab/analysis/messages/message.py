"""The message that a packet carries, by the ports it goes to and from."""

from __future__ import annotations

from lab.analysis.messages import dhcp, dns
from lab.analysis.messages.dhcp import DhcpMessage, parse_dhcp
from lab.analysis.messages.dns import DnsMessage, parse_dns, split_dns
from lab.analysis.messages.membership import Membership, membership_of
from lab.analysis.packets.packet import Packet

Content = DnsMessage | DhcpMessage | Membership


def messages_of(packet: Packet) -> tuple[Content, ...]:
    """What a report or a datagram says, or a segment that has whole messages and nothing else."""
    udp, tcp = packet.udp, packet.tcp
    if tcp is not None:
        is_dns = dns.PORTS.intersection((tcp.source_port, tcp.destination_port))
        return _in_stream(packet.payload) if is_dns else ()
    if udp is None:
        found: Content | None = membership_of(packet)
    elif dns.PORTS.intersection((udp.source_port, udp.destination_port)):
        found = parse_dns(packet.payload)
    elif {udp.source_port, udp.destination_port} <= dhcp.PORTS:
        found = parse_dhcp(packet.payload)
    else:
        return ()
    return () if found is None else (found,)


def _in_stream(data: bytes) -> tuple[DnsMessage, ...]:
    parts = list(split_dns(data))
    found = [parse_dns(part) for _, part in parts]
    whole = tuple(each for each in found if each is not None)
    is_all = sum(2 + len(part) for _, part in parts) == len(data) and len(whole) == len(found)
    return whole if is_all else ()
