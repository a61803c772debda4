"""The fields of IPv4, IPv6, its Fragment header, and ICMP."""

from __future__ import annotations

from collections.abc import Iterator

from lab.analysis.fields.field import Form, HeaderField
from lab.analysis.fields.layout import Bits, HeaderLayout, fields_at, named, whole
from lab.analysis.packets.packet import Fragment, Icmp, IPv4, IPv6

PROTOCOLS = {
    0: "hop-by-hop options",
    1: "ICMP",
    2: "IGMP",
    4: "IPv4",
    6: "TCP",
    17: "UDP",
    41: "IPv6",
    43: "routing header",
    44: "fragment header",
    47: "GRE",
    50: "ESP",
    51: "AH",
    58: "ICMPv6",
    59: "no next header",
    60: "destination options",
    132: "SCTP",
    135: "mobility header",
}
"""Source: IANA, Assigned Internet Protocol Numbers."""

ICMP_TYPES = {
    0: "echo reply",
    3: "destination unreachable",
    5: "redirect",
    8: "echo request",
    11: "time exceeded",
    12: "parameter problem",
}
ICMPV6_TYPES = {
    1: "destination unreachable",
    2: "packet too big",
    3: "time exceeded",
    4: "parameter problem",
    128: "echo request",
    129: "echo reply",
    133: "router solicitation",
    134: "router advertisement",
    135: "neighbor solicitation",
    136: "neighbor advertisement",
    137: "redirect",
    143: "multicast listener report",
}
_UNREACHABLE = {0: "network", 1: "host", 2: "protocol", 3: "port", 4: "fragmentation needed"}
_UNREACHABLE6 = {0: "no route", 1: "prohibited", 3: "address", 4: "port"}
_ECN = {0: "not ECN-capable", 1: "ECT(1)", 2: "ECT(0)", 3: "congestion experienced"}


def _in_bytes(offset: int) -> str:
    return f"byte {offset * 8}" if offset else ""


_IPV4 = HeaderLayout(
    "IPv4",
    "RFC 791, 3.1",
    (
        Bits("version", "ip.version", 4),
        Bits("header length", "ip.hdr_len", 4, factor=4),
        Bits("DSCP", "ip.dsfield.dscp", 6),
        Bits("ECN", "ip.dsfield.ecn", 2, meaning=named(_ECN)),
        Bits("total length", "ip.len", 16),
        Bits("identification", "ip.id", 16, Form.HEX),
        Bits("reserved bit", "ip.flags.rb", 1),
        Bits("don't fragment", "ip.flags.df", 1, meaning=named({1: "set"})),
        Bits("more fragments", "ip.flags.mf", 1, meaning=named({1: "set"})),
        Bits("fragment offset", "ip.frag_offset", 13, meaning=_in_bytes),
        Bits("time to live", "ip.ttl", 8),
        Bits("protocol", "ip.proto", 8, meaning=named(PROTOCOLS)),
        Bits("header checksum", "ip.checksum", 16, Form.HEX),
        Bits("source address", "ip.src", 32, Form.IPV4),
        Bits("destination address", "ip.dst", 32, Form.IPV4),
    ),
)
_IPV6 = HeaderLayout(
    "IPv6",
    "RFC 8200, 3",
    (
        Bits("version", "ipv6.version", 4),
        Bits("traffic class", "ipv6.tclass", 8, Form.HEX),
        Bits("flow label", "ipv6.flow", 20, Form.HEX),
        Bits("payload length", "ipv6.plen", 16),
        Bits("next header", "ipv6.nxt", 8, meaning=named(PROTOCOLS)),
        Bits("hop limit", "ipv6.hlim", 8),
        Bits("source address", "ipv6.src", 128, Form.IPV6),
        Bits("destination address", "ipv6.dst", 128, Form.IPV6),
    ),
)
_FRAGMENT = HeaderLayout(
    "IPv6 fragment header",
    "RFC 8200, 4.5",
    (
        Bits("next header", "ipv6.fraghdr.nxt", 8, meaning=named(PROTOCOLS)),
        Bits("reserved", "ipv6.fraghdr.reserved_octet", 8, Form.HEX),
        Bits("fragment offset", "ipv6.fraghdr.offset", 13, meaning=_in_bytes),
        Bits("reserved", "ipv6.fraghdr.reserved_bits", 2),
        Bits("more fragments", "ipv6.fraghdr.more", 1, meaning=named({1: "set"})),
        Bits("identification", "ipv6.fraghdr.ident", 32, Form.HEX),
    ),
)


def checksum_meaning(checksum_ok: bool | None, right: int | None = None) -> str:
    """ "correct", "wrong, should be 0x1a2b", "" where it cannot be computed."""
    if checksum_ok is None:
        return ""
    if checksum_ok:
        return "correct"
    return "wrong" if right is None else f"wrong, should be {right:#06x}"


def ipv4_fields(data: bytes, layer: IPv4) -> Iterator[HeaderField]:
    """The header's fields, and its options whole."""
    at = layer.offset
    yield from fields_at(data, at, _IPV4, {"ip.checksum": checksum_meaning(layer.checksum_ok)})
    yield from whole(data, at + 20, at + layer.header_bytes, "IPv4", "options", "RFC 791, 3.1")


def ipv6_fields(data: bytes, layer: IPv6) -> Iterator[HeaderField]:
    """The header's fields."""
    yield from fields_at(data, layer.offset, _IPV6, {})


def fragment_fields(data: bytes, layer: Fragment) -> Iterator[HeaderField]:
    """The header's fields."""
    yield from fields_at(data, layer.offset, _FRAGMENT, {})


def icmp_fields(data: bytes, layer: Icmp) -> Iterator[HeaderField]:
    """The fields of the message's header; what it quotes is not among them."""
    checksum = checksum_meaning(layer.checksum_ok)
    yield from fields_at(data, layer.offset, _icmp_layout(layer), {
        "icmp.checksum": checksum, "icmpv6.checksum": checksum,
    })  # fmt: skip


def _icmp_layout(layer: Icmp) -> HeaderLayout:
    if (layer.version, layer.type, layer.code) == (4, 3, 4):
        return _FRAGMENTATION_NEEDED
    layouts = _icmp_layouts[layer.version]
    return layouts.get(layer.type, layouts[-1])


def _icmp(version: int, source: str, types: dict[int, str], codes: dict[int, str], *rest: Bits,
          ) -> HeaderLayout:  # fmt: skip
    name = "ICMP" if version == 4 else "ICMPv6"
    prefix = name.lower()
    head = (
        Bits("type", f"{prefix}.type", 8, meaning=named(types)),
        Bits("code", f"{prefix}.code", 8, meaning=named(codes)),
        Bits("checksum", f"{prefix}.checksum", 16, Form.HEX),
    )
    return HeaderLayout(name, source, (*head, *rest))


def _icmp4(source: str, *rest: Bits, codes: dict[int, str] | None = None) -> HeaderLayout:
    return _icmp(4, source, ICMP_TYPES, codes or {}, *rest)


def _icmp6(source: str, *rest: Bits, codes: dict[int, str] | None = None) -> HeaderLayout:
    return _icmp(6, source, ICMPV6_TYPES, codes or {}, *rest)


_ECHO4 = _icmp4(
    "RFC 792", Bits("identifier", "icmp.ident", 16), Bits("sequence number", "icmp.seq", 16)
)
_ECHO6 = _icmp6(
    "RFC 4443, 4.1",
    Bits("identifier", "icmpv6.echo.identifier", 16, Form.HEX),
    Bits("sequence number", "icmpv6.echo.sequence_number", 16),
)
_UNUSED = Bits("unused", "", 32, Form.HEX)
_FRAGMENTATION_NEEDED = _icmp4(
    "RFC 1191, 4",
    Bits("unused", "", 16, Form.HEX),
    Bits("next-hop MTU", "icmp.mtu", 16),
    codes=_UNREACHABLE,
)
_SOLICITED = Bits("target address", "icmpv6.nd.ns.target_address", 128, Form.IPV6)
_ADVERTISED = Bits("target address", "icmpv6.nd.na.target_address", 128, Form.IPV6)
_NA_FLAGS = (
    Bits("router", "icmpv6.nd.na.flag.r", 1, meaning=named({1: "set"})),
    Bits("solicited", "icmpv6.nd.na.flag.s", 1, meaning=named({1: "set"})),
    Bits("override", "icmpv6.nd.na.flag.o", 1, meaning=named({1: "set"})),
    Bits("reserved", "", 29, Form.HEX),
)

_icmp_layouts: dict[int, dict[int, HeaderLayout]] = {
    4: {
        -1: _icmp4("RFC 792"),
        0: _ECHO4,
        8: _ECHO4,
        3: _icmp4("RFC 792", _UNUSED, codes=_UNREACHABLE),
        11: _icmp4("RFC 792", _UNUSED, codes={0: "in transit", 1: "in reassembly"}),
    },
    6: {
        -1: _icmp6("RFC 4443, 2.1"),
        1: _icmp6("RFC 4443, 3.1", _UNUSED, codes=_UNREACHABLE6),
        2: _icmp6("RFC 4443, 3.2", Bits("MTU", "icmpv6.mtu", 32)),
        3: _icmp6("RFC 4443, 3.3", _UNUSED),
        128: _ECHO6,
        129: _ECHO6,
        135: _icmp6("RFC 4861, 4.3", Bits("reserved", "", 32, Form.HEX), _SOLICITED),
        136: _icmp6("RFC 4861, 4.4", *_NA_FLAGS, _ADVERTISED),
    },
}
"""By version and type; -1 is every other type."""
