"""Whole headers decoded by scapy, one record each: the only file where scapy objects live.

Each function is given bytes that hold the header, whose lengths the caller has checked,
and hands scapy that header alone: scapy turns a header it cannot read into Raw without a
word, follows lengths past their ends, and would otherwise walk on into the payload.
`at` is the header's first byte in `data`, and becomes the record's offset.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from lab.analysis.packets.options import (
    TCP_OPTION_DATA_BYTES,
    TCP_OPTION_NAMES,
    OptionError,
    OptionList,
    parse_options,
)
from lab.analysis.packets.packet import (
    Arp,
    Cooked,
    Ethernet,
    Fragment,
    Icmp,
    IPAddress,
    IPv4,
    IPv6,
    Layer,
    Loopback,
    Tcp,
    TcpFlags,
    TcpOption,
    TcpStart,
    Udp,
    UdpStart,
    Vlan,
)


class _Late:
    """A module of scapy's, imported with the other two when the first of its names is used.

    It takes a tenth of a second, and most runs have no frame that needs it (analysis/plain).
    """

    def __init__(self, place: int) -> None:
        """`place` is the module's among LAYERS."""
        self._place = place

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  a class of scapy's
        from lab.analysis.packets.scapy_layers import LAYERS

        found = getattr(LAYERS[self._place], name)
        setattr(self, name, found)
        return found


_l2, _inet, _inet6 = _Late(0), _Late(1), _Late(2)

_ICMPV6_CLASSES: dict[int, tuple[str, int]] = {
    1: ("ICMPv6DestUnreach", 8),
    2: ("ICMPv6PacketTooBig", 8),
    3: ("ICMPv6TimeExceeded", 8),
    4: ("ICMPv6ParamProblem", 8),
    128: ("ICMPv6EchoRequest", 8),
    129: ("ICMPv6EchoReply", 8),
    133: ("ICMPv6ND_RS", 8),
    134: ("ICMPv6ND_RA", 16),
    135: ("ICMPv6ND_NS", 24),
    136: ("ICMPv6ND_NA", 24),
    137: ("ICMPv6ND_Redirect", 40),
}
"""By type: the name of scapy's class and the bytes before options, quoted packet or data."""

_ICMP_BYTES = {13: 20, 14: 20, 17: 12, 18: 12}
"""RFC 792 timestamps and RFC 950 address masks; every other header has 8 bytes."""

_SCAPY_ICMP_BYTES = {37: 12, 38: 12}
"""Where scapy reads on: it expects a reply's TTL (RFC 1788) in requests too."""

_EXTENSION_CLASSES: dict[int, tuple[str, int]] = {
    0: ("IPv6ExtHdrHopByHop", 2),
    43: ("IPv6ExtHdrRouting", 8),
    60: ("IPv6ExtHdrDestOpt", 2),
    135: ("MIP6MH_Generic", 6),
}
"""By protocol number: scapy's class by its name, and the bytes before options or message."""


def ethernet(data: bytes, at: int) -> Ethernet:
    """The Ethernet header of 14 bytes."""
    fields = _l2.Ether(data[at : at + 14]).fields
    # scapy takes what is below 1501 for an 802.3 header, whose third field is `len`.
    kind = fields["type"] if "type" in fields else fields["len"]
    return Ethernet(at, fields["dst"], fields["src"], kind)


def vlan(data: bytes, at: int) -> Vlan:
    """The 4 bytes from a tag's control information to the type after it."""
    fields = _l2.Dot1Q(data[at : at + 4]).fields
    return Vlan(at, fields["prio"], bool(fields["dei"]), fields["vlan"], fields["type"])


def cooked(data: bytes, at: int, version: int) -> Cooked:
    """The header of 16 bytes (version 1) or 20 (version 2)."""
    if version == 1:
        fields = _l2.CookedLinux(data[at : at + 16]).fields
    else:
        fields = _l2.CookedLinuxV2(data[at : at + 20]).fields
    address = bytes(fields["src"])[: fields["lladdrlen"]].hex(":")
    return Cooked(at, version, fields["pkttype"], address, fields["proto"], fields.get("ifindex"))


def loopback(data: bytes, at: int) -> Loopback:
    """The 4-byte family, in the byte order of the host that captured it.

    Read here, not by scapy, whose class keeps one byte of the four. The byte order is the one
    in which the family is a small number.
    """
    family = int.from_bytes(data[at : at + 4], "big")
    if family > 0xFFFF:
        family = int.from_bytes(data[at : at + 4], "little")
    return Loopback(at, family)


def arp_bytes(data: bytes, at: int) -> int:
    """Length of the ARP packet by its own address lengths, from its first 8 bytes."""
    return 8 + 2 * (data[at + 4] + data[at + 5])


def arp(data: bytes, at: int) -> Arp:
    """The whole ARP packet."""
    fields = _l2.ARP(data[at : at + arp_bytes(data, at)]).fields
    if (fields["hwlen"], fields["plen"], fields["ptype"]) != (6, 4, 0x0800):
        return Arp(at, fields["op"], None, None, None, None)
    return Arp(
        at,
        fields["op"],
        _hardware_address(fields["hwsrc"]),
        IPv4Address(fields["psrc"]),
        _hardware_address(fields["hwdst"]),
        IPv4Address(fields["pdst"]),
    )


def _hardware_address(value: str | bytes) -> str:
    """Text, which scapy gives for Ethernet's hardware type alone, and bytes for others."""
    return value if isinstance(value, str) else value.hex(":")


def ipv4(data: bytes, at: int, options: OptionList, checksum_ok: bool | None) -> IPv4:
    """The header's 20 fixed bytes, with the options given."""
    fields = _inet.IP(data[at : at + 20]).fields
    flags = int(fields["flags"])
    return IPv4(
        offset=at,
        source=IPv4Address(fields["src"]),
        destination=IPv4Address(fields["dst"]),
        header_bytes=fields["ihl"] * 4,
        dscp=fields["tos"] >> 2,
        ecn=fields["tos"] & 3,
        total_bytes=fields["len"],
        identification=fields["id"],
        dont_fragment=bool(flags & 2),
        more_fragments=bool(flags & 1),
        fragment_offset=fields["frag"] * 8,
        ttl=fields["ttl"],
        protocol=fields["proto"],
        checksum=fields["chksum"],
        checksum_ok=checksum_ok,
        options=options,
    )


def ipv6(data: bytes, at: int) -> IPv6:
    """The header of 40 bytes."""
    fields = _inet6.IPv6(data[at : at + 40]).fields
    return IPv6(
        offset=at,
        source=IPv6Address(fields["src"]),
        destination=IPv6Address(fields["dst"]),
        traffic_class=fields["tc"],
        flow_label=fields["fl"],
        payload_bytes=fields["plen"],
        next_header=fields["nh"],
        hop_limit=fields["hlim"],
    )


def extension_lengths(data: bytes, at: int, header: int) -> tuple[int, int]:
    """(next header, header bytes) from an extension header's first 8 bytes.

    scapy's AH class is not used: importing it needs a cryptography package.
    """
    if header == 51:
        return data[at], (data[at + 1] + 2) * 4
    name, size = _EXTENSION_CLASSES[header]
    fields = getattr(_inet6, name)(data[at : at + size]).fields
    return fields["nh"], (fields["len"] + 1) * 8


def fragment(data: bytes, at: int) -> Fragment:
    """The IPv6 fragment header of 8 bytes."""
    fields = _inet6.IPv6ExtHdrFragment(data[at : at + 8]).fields
    return Fragment(at, fields["nh"], fields["offset"] * 8, bool(fields["m"]), fields["id"])


def icmp_bytes(version: int, kind: int) -> int:
    """Length of an ICMP or ICMPv6 header by its type."""
    if version == 4:
        return _ICMP_BYTES.get(kind, 8)
    return _ICMPV6_CLASSES[kind][1] if kind in _ICMPV6_CLASSES else 4


def icmp(
    data: bytes,
    at: int,
    version: int,
    checksum_ok: bool | None,
    link_layer: str | None,
    quoted: tuple[Layer, ...],
) -> Icmp:
    """An ICMP or ICMPv6 header, with the option and the quoted layers given."""
    head = data[at : at + icmp_bytes(version, data[at])]
    if version == 4:
        head = head.ljust(_SCAPY_ICMP_BYTES.get(data[at], 0), b"\0")
        fields = _inet.ICMP(head).fields
    else:
        name, _ = _ICMPV6_CLASSES.get(data[at], ("ICMPv6Unknown", 4))
        fields = getattr(_inet6, name)(head).fields
    return Icmp(
        offset=at,
        version=version,
        type=fields["type"],
        code=fields["code"],
        checksum=fields["chksum" if version == 4 else "cksum"],
        checksum_ok=checksum_ok,
        identifier=fields.get("id"),
        sequence=fields.get("seq"),
        mtu=_icmp_mtu(fields, version),
        target=_icmp_target(fields, version),
        link_layer=link_layer,
        quoted=quoted,
    )


def _icmp_mtu(fields: dict[str, Any], version: int) -> int | None:
    """The next hop's MTU. Source: RFC 1191, 4 (type 3, code 4); RFC 4443, 3.2."""
    if version == 6:
        return fields.get("mtu") if fields["type"] == 2 else None
    return fields.get("nexthopmtu") if (fields["type"], fields["code"]) == (3, 4) else None


def _icmp_target(fields: dict[str, Any], version: int) -> IPAddress | None:
    address = fields.get("gw" if version == 4 else "tgt")
    if address is None:
        return None
    return IPv4Address(address) if version == 4 else IPv6Address(address)


def link_layer_address(data: bytes, at: int) -> str:
    """The address in a link-layer address option of 8 bytes. Source: RFC 4861, 4.6.1."""
    fields = _inet6.ICMPv6NDOptSrcLLAddr(data[at : at + 8]).fields
    return str(fields["lladdr"])


def tcp(
    data: bytes, at: int, options_end: int, payload_bytes: int, checksum_ok: bool | None
) -> tuple[Tcp, OptionError | None]:
    """A TCP header whose options end at `options_end`, and what is wrong with them."""
    tlvs, error = parse_options(data[at + 20 : options_end])
    tlvs, error = _without_wrong_lengths(tlvs, error)
    decodable = b"".join(_tcp_option_bytes(kind, value) for kind, value in tlvs)
    fields = _inet.TCP(data[at : at + 20] + decodable).fields
    tcp = Tcp(
        offset=at,
        source_port=fields["sport"],
        destination_port=fields["dport"],
        seq=fields["seq"],
        ack=fields["ack"],
        header_bytes=fields["dataofs"] * 4,
        flags=TcpFlags(fields["reserved"] << 9 | int(fields["flags"])),
        window=fields["window"],
        checksum=fields["chksum"],
        checksum_ok=checksum_ok,
        urgent_pointer=fields["urgptr"],
        options=tuple(_tcp_options(tlvs, iter(fields["options"]))),
        payload_bytes=payload_bytes,
    )
    return tcp, error


def _without_wrong_lengths(
    tlvs: OptionList, error: OptionError | None
) -> tuple[OptionList, OptionError | None]:
    """The options before the first whose length is not its kind's, and that as the error."""
    at = 0
    for index, (kind, value) in enumerate(tlvs):
        expected = TCP_OPTION_DATA_BYTES.get(kind, len(value))
        if len(value) != expected or (kind == 5 and (len(value) % 8 or not value)):
            reason = f"option {kind} ({TCP_OPTION_NAMES[kind]}) has length {len(value) + 2}"
            return tlvs[:index], OptionError(at, reason)
        at += 1 if kind < 2 else 2 + len(value)
    return tlvs, error


def _decoded_by_scapy(kind: int) -> bool:
    return kind in TCP_OPTION_DATA_BYTES or kind == 5


def _tcp_option_bytes(kind: int, value: bytes) -> bytes:
    """What scapy is given: only options whose lengths have been checked against the kind."""
    return bytes((kind, len(value) + 2)) + value if _decoded_by_scapy(kind) else b""


def _tcp_options(tlvs: OptionList, decoded: Iterator[tuple[Any, Any]]) -> Iterator[TcpOption]:
    for kind, data in tlvs:
        value: int | tuple[int, ...] | bytes | None = data
        if _decoded_by_scapy(kind):
            _, scapy_value = next(decoded)
            value = None if kind == 4 else scapy_value
        elif kind < 2:
            value = None
        yield TcpOption(kind, TCP_OPTION_NAMES.get(kind, f"kind_{kind}"), value)


def tcp_start(data: bytes, at: int) -> TcpStart:
    """The ports of a TCP header that is cut, and its sequence number where all of that is there.

    Read here, not by scapy, which gives no fields for a header that is cut.
    """
    seq = data[at + 4 : at + 8]
    return TcpStart(at, *_ports(data, at), int.from_bytes(seq, "big") if len(seq) == 4 else None)


def udp_start(data: bytes, at: int) -> UdpStart:
    """The ports of a UDP header that is cut."""
    return UdpStart(at, *_ports(data, at))


def _ports(data: bytes, at: int) -> tuple[int, int]:
    source, destination = data[at : at + 2], data[at + 2 : at + 4]
    return int.from_bytes(source, "big"), int.from_bytes(destination, "big")


def udp(data: bytes, at: int, payload_bytes: int, checksum_ok: bool | None) -> Udp:
    """The header of 8 bytes."""
    fields = _inet.UDP(data[at : at + 8]).fields
    return Udp(
        at,
        fields["sport"],
        fields["dport"],
        fields["len"],
        fields["chksum"],
        checksum_ok,
        payload_bytes,
    )
