"""What finds a frame again in Wireshark, by what its headers say."""

from __future__ import annotations

from collections.abc import Iterable

from lab.analysis.fields.field import HeaderField

TELLING = {
    "TCP": ("ip.id", "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw",
            "tcp.options.timestamp.tsval"),
    "UDP": ("ip.id", "udp.srcport", "udp.dstport", "udp.length", "udp.checksum"),
    "ICMP": ("ip.id", "icmp.type", "icmp.code", "icmp.checksum"),
    "ICMPv6": ("icmpv6.type", "icmpv6.code", "icmpv6.checksum"),
    "ARP": ("arp.opcode", "arp.src.proto_ipv4", "arp.dst.proto_ipv4", "eth.dst"),
    "IPv6 fragment header": ("ipv6.fraghdr.ident", "ipv6.fraghdr.offset"),
    "IPv4": ("ip.src", "ip.dst", "ip.id", "ip.frag_offset"),
    "IPv6": ("ipv6.src", "ipv6.dst", "ipv6.nxt", "ipv6.flow", "ipv6.plen"),
    "Ethernet": ("eth.src", "eth.dst", "eth.type"),
}  # fmt: skip
"""By header, from the innermost out: the fields that tell its packets apart."""


def frame_filter(fields: Iterable[HeaderField]) -> str:
    """A display filter that finds the frame with these fields; "" where none of them has a name.

    It names what a sender changes from packet to packet, so that it finds the frame in any
    capture of it, at both ends of a link; also a copy of it that is the same byte for byte.
    """
    by_name: dict[str, HeaderField] = {}
    headers: set[str] = set()
    for field in fields:
        headers.add(field.shape.header)
        by_name.setdefault(field.shape.abbreviation, field)
    for header, names in TELLING.items():
        if header in headers:
            return " && ".join(by_name[name].display_filter for name in names if name in by_name)
    return ""
