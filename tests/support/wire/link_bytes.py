"""Frames of many link types and tunnels with a TCP segment inside, made with struct alone."""

from __future__ import annotations

import struct

import frame_bytes as fb

from lab.records import LinkType

DATA = b"hello world!"
IP4, IP6 = fb.ipv4(fb.tcp(DATA)), fb.ipv6(fb.tcp6(DATA))


def snap(payload: bytes, kind: int = fb.IPV4) -> bytes:
    return b"\xaa\xaa\x03\0\0\0" + struct.pack("!H", kind) + payload


def token_ring(payload: bytes, route: bytes = b"") -> bytes:
    source = bytes([fb.MAC_A[0] | 0x80 * bool(route)]) + fb.MAC_A[1:]
    return b"\x10\x40" + fb.MAC_B + source + route + snap(payload)


def wireless(
    payload: bytes, control: int = 0x08, flags: int = 0x01, qos: bytes = b"", pad: int = 0
) -> bytes:
    head = bytes([control, flags, 0, 0]) + fb.MAC_B + fb.MAC_A + fb.MAC_B + b"\x10\0"
    fourth = fb.MAC_A if flags & 3 == 3 else b""
    return head + fourth + qos + bytes(pad) + snap(payload)


def pppoe(payload: bytes, length: int | None = None) -> bytes:
    size = len(payload) + 2 if length is None else length
    return struct.pack("!BBHHH", 0x11, 0, 7, size, 0x21) + payload


def nflog(payload: bytes, order: str = "<", family: int = 2, length: int | None = None) -> bytes:
    size = len(payload) + 4 if length is None else length
    head = bytes([family, 0]) + struct.pack("!H", 5)
    head += struct.pack(order + "2H", 8, 1) + b"\x08\0\x01\0"
    head += struct.pack(order + "2H", 9, 10) + b"drop\0" + bytes(3)
    return head + struct.pack(order + "2H", size, 9) + payload


def radiotap(flags: int = 0, words: int = 1) -> bytes:
    """TSFT and Flags, after as many words of what is present."""
    more = [0x8000_0000 | (3 if n == 0 else 0) for n in range(words)]
    more[-1] &= 0x7FFF_FFFF
    fields = struct.pack(f"<{words}I", *more)
    fields += bytes(-(4 + len(fields)) % 8) + bytes(8) + bytes([flags, 0, 0, 0])
    return struct.pack("<BBH", 0, 0, 4 + len(fields)) + fields


def packet_tap(payload: bytes, link: int) -> bytes:
    head = struct.pack("<3I", 108, 1, link)
    return head + bytes(108 - len(head)) + payload


def switch_tag(tag: bytes) -> bytes:
    return fb.MAC_B + fb.MAC_A + tag + struct.pack("!H", fb.IPV4) + IP4


WITH_IP: dict[LinkType, dict[str, bytes]] = {
    LinkType.PPP: {
        "plain": b"\0\x21" + IP4,
        "framed": b"\xff\x03\0\x21" + IP4,
        "compressed": b"\x21" + IP4,
        "framed and compressed": b"\xff\x03\x57" + IP6,
        "ipv6": b"\0\x57" + IP6,
    },
    LinkType.PPP_HDLC: {"ipv4": b"\xff\x03\0\x21" + IP4, "ipv6": b"\xff\x03\0\x57" + IP6},
    LinkType.PPP_ETHER: {"ipv4": pppoe(IP4)},
    LinkType.PPP_PPPD: {"in": b"\0\x03\0\x21" + IP4, "out": b"\x01\x03\0\x57" + IP6},
    LinkType.PPP_WITH_DIR: {"in": b"\0\xff\x03\0\x21" + IP4, "out": b"\x01\0\x21" + IP4},
    LinkType.C_HDLC: {
        "ipv4": b"\x0f\0" + struct.pack("!H", fb.IPV4) + IP4,
        "ipv6": b"\x0f\0" + struct.pack("!H", fb.IPV6) + IP6,
    },
    LinkType.C_HDLC_WITH_DIR: {"ipv4": b"\x01\x0f\0" + struct.pack("!H", fb.IPV4) + IP4},
    LinkType.FRELAY: {
        "nlpid": b"\x18\x41\x03\xcc" + IP4,
        "ipv6": b"\x18\x41\x03\x8e" + IP6,
        "three octets of address": b"\x18\x40\x01\x03\xcc" + IP4,
        "snap": b"\x18\x41\x03\0\x80\0\0\0" + struct.pack("!H", fb.IPV4) + IP4,
        "cisco": b"\x18\x41" + struct.pack("!H", fb.IPV4) + IP4,
    },
    LinkType.FRELAY_WITH_DIR: {"ipv4": b"\x01\x18\x41\x03\xcc" + IP4},
    LinkType.IEEE802_5: {
        "ipv4": token_ring(IP4),
        "routed": token_ring(IP4, b"\x06\x30\x12\x31\x23\x40"),
    },
    LinkType.FDDI: {
        "ipv4": b"\x50" + fb.MAC_B + fb.MAC_A + snap(IP4),
        "ipv6": b"\x57" + fb.MAC_B + fb.MAC_A + snap(IP6, fb.IPV6),
    },
    LinkType.ATM_RFC1483: {
        "ipv4": snap(IP4),
        "ipv6": snap(IP6, fb.IPV6),
    },
    LinkType.ATM_CLIP: {"llc": snap(IP4), "ipv4": IP4, "ipv6": IP6},
    LinkType.SUNATM: {"llc": b"\x02\0\0\x64" + snap(IP4), "out": b"\x82\0\0\x64" + snap(IP4)},
    LinkType.IEEE802_11: {
        "to the distribution system": wireless(IP4),
        "from it": wireless(IP4, flags=0x02),
        "neither": wireless(IP4, flags=0),
        "both": wireless(IP4, flags=0x03),
        "quality of service": wireless(IP4, 0x88, qos=b"\0\0"),
        "high throughput control": wireless(IP4, 0x88, 0x81, qos=bytes(6)),
        "ipv6": b"".join((wireless(b"")[:-2], struct.pack("!H", fb.IPV6), IP6)),
    },
    LinkType.IEEE802_11_RADIOTAP: {
        "plain": b"\0\0\x08\0\0\0\0\0" + wireless(IP4),
        "flags": radiotap() + wireless(IP4),
        "more words": radiotap(words=2) + wireless(IP4),
        "padded": radiotap(0x20) + wireless(IP4, 0x88, qos=b"\0\0", pad=2),
        "fcs": radiotap(0x10) + wireless(IP4) + b"FCS!",
    },
    LinkType.IEEE802_11_PRISM: {
        "prism": struct.pack("<2I16s", 0x44, 144, b"wlan0") + bytes(120) + wireless(IP4),
        "avs": struct.pack(">2I", 0x8021_1001, 64) + bytes(56) + wireless(IP4),
    },
    LinkType.IEEE802_11_AVS: {
        "avs": struct.pack(">2I", 0x8021_1001, 64) + bytes(56) + wireless(IP4)
    },
    LinkType.PPI: {"802.11": b"\0\0\x08\0\x69\0\0\0" + wireless(IP4)},
    LinkType.NFLOG: {
        "little": nflog(IP4),
        "big": nflog(IP4, ">"),
        "ipv6": nflog(IP6, family=10),
    },
    LinkType.ENC: {
        "ipv4": struct.pack("<I", 2) + bytes(8) + IP4,
        "ipv6": struct.pack("<I", 24) + bytes(8) + IP6,
    },
    LinkType.APPLE_IP_OVER_IEEE1394: {"ipv4": bytes(16) + struct.pack("!H", fb.IPV4) + IP4},
    LinkType.IP_OVER_FC: {"ipv4": bytes(16) + snap(IP4)},
    LinkType.IPOIB: {
        "ipv4": bytes(40) + struct.pack("!HH", fb.IPV4, 0) + IP4,
        "ipv6": bytes(40) + struct.pack("!HH", fb.IPV6, 0) + IP6,
    },
    LinkType.PKTAP: {
        "ethernet": packet_tap(fb.ethernet(IP4), 1),
        "raw": packet_tap(IP6, 12),
    },
    LinkType.DSA_TAG_BRCM: {"ipv4": switch_tag(bytes(4))},
    LinkType.DSA_TAG_BRCM_PREPEND: {"ipv4": bytes(4) + fb.ethernet(IP4)},
    LinkType.DSA_TAG_DSA: {"ipv4": switch_tag(b"\xc0\x08\0\0")},
    LinkType.DSA_TAG_EDSA: {"ipv4": switch_tag(b"\xda\xda\0\0\xc0\x08\0\0")},
}
"""By link type and by what is particular: each with the segment of DATA over IPv4 or IPv6."""


# Tunnels

INSIDE = fb.ethernet(IP4)
PLAIN_UDP = fb.ethernet(fb.ipv4(fb.udp(b"plain"), 17))


def in_ip(payload: bytes, protocol: int) -> bytes:
    return fb.ethernet(fb.ipv4(payload, protocol))


def in_ip6(payload: bytes, protocol: int) -> bytes:
    return fb.ethernet(fb.ipv6(payload, protocol), fb.IPV6)


def in_udp(payload: bytes, port: int) -> bytes:
    datagram = struct.pack("!4H", 5000, port, 8 + len(payload), 0) + payload
    return fb.ethernet(fb.ipv4(datagram, 17))


def gre(payload: bytes, kind: int, flags: int = 0, fields: bytes = b"") -> bytes:
    return in_ip(struct.pack("!HH", flags, kind) + fields + payload, 47)


def vxlan(payload: bytes) -> bytes:
    return in_udp(b"\x08\0\0\0\0\0\x07\0" + payload, 4789)


def gtp(payload: bytes, flags: int = 0x30, options: bytes = b"") -> bytes:
    head = struct.pack("!BBHI", flags, 255, len(options) + len(payload), 0xABCD)
    return in_udp(head + options + payload, 2152)


def pppoe_frame(payload: bytes) -> bytes:
    head = struct.pack("!BBHH", 0x11, 0, 5, 2 + len(payload))
    return fb.ethernet(head + b"\0\x21" + payload, 0x8864)


def label(number: int, *, last: bool = True) -> bytes:
    """An entry of MPLS's stack."""
    return struct.pack("!I", number << 12 | 0x100 * last | 64)


def vxlan_gpe(payload: bytes, protocol: int) -> bytes:
    return in_udp(b"\x0c\0\0" + bytes([protocol]) + b"\0\0\7\0" + payload, 4790)


def nsh(payload: bytes, protocol: int, words: int = 6) -> bytes:
    """Of MD type 1 where it has six words, else of type 2."""
    kind = 1 if words == 6 else 2
    head = struct.pack("!HBBI", 0x0FC0 | words, kind, protocol, 0x010203FF)
    return head + bytes(4 * words - 8) + payload


def on_link(payload: bytes, kind: int) -> bytes:
    return fb.ethernet(payload, kind)


PPP = b"\xff\x03\0\x21"
MACS = bytes.fromhex("001b21000001001b21000002")
"""Of a maker whom tshark knows: by that it finds Ethernet behind MPLS."""
BRIDGED = MACS + INSIDE[12:]

TUNNELS: dict[str, bytes] = {
    "ipip": in_ip(IP4, 4),
    "6in4": in_ip(IP6, 41),
    "4in6": in_ip6(IP4, 4),
    "6in6": in_ip6(IP6, 41),
    "ipip in ah": in_ip(b"\4\4" + bytes(22) + IP4, 51),
    "gre": gre(IP4, 0x0800),
    "gre with ipv6": gre(IP6, 0x86DD),
    "gre with checksum": gre(IP4, 0x0800, 0x8000, bytes(4)),
    "gre with key and sequence": gre(IP4, 0x0800, 0x3000, struct.pack("!II", 9, 1)),
    "gre with ethernet": gre(INSIDE, 0x6558),
    "gre over ipv6": in_ip6(b"\0\0\x08\0" + IP4, 47),
    "pptp": gre(b"\xff\x03\0\x21" + IP4, 0x880B, 0x3001, struct.pack("!HHI", 56, 3, 1)),
    "erspan 1": gre(INSIDE, 0x88BE),
    "erspan 2": gre(INSIDE, 0x88BE, 0x1000, bytes(4) + b"\x10\x01\0\x05" + bytes(4)),
    "erspan 3": gre(INSIDE, 0x22EB, 0x1000, bytes(4) + b"\x20\x01\0\x05" + bytes(8)),
    "vxlan": vxlan(INSIDE),
    "vxlan with a vlan": vxlan(fb.ethernet(IP4, tags=((0x8100, 10),))),
    "geneve": in_udp(b"\0\0\x65\x58\0\0\x08\0" + INSIDE, 6081),
    "geneve with options": in_udp(b"\1\0\x65\x58\0\0\x08\0\1\2\3\0" + INSIDE, 6081),
    "gtp": gtp(IP4),
    "gtp with ipv6": gtp(IP6),
    "gtp with a sequence number": gtp(IP4, 0x32, bytes(4)),
    "gtp with an extension": gtp(IP4, 0x34, b"\0\0\0\x85\1\0\x09\0"),
    "etherip": in_ip(b"\x30\0" + INSIDE, 97),
    "pppoe": pppoe_frame(IP4),
    "mpls": fb.ethernet(struct.pack("!II", 16 << 12 | 64, 17 << 12 | 0x100 | 64) + IP4, 0x8847),
    "mpls explicit null": fb.ethernet(struct.pack("!I", 2 << 12 | 0x100) + IP6, 0x8847),
    "mpls in ip": in_ip(struct.pack("!I", 99 << 12 | 0x140) + IP4, 137),
    "vxlan in gre": gre(vxlan(INSIDE)[14:], 0x0800),
    "snap": fb.ethernet(b"\xaa\xaa\3\0\0\0\x08\0" + IP4, 8 + len(IP4)),
    "pseudowire": on_link(label(100) + BRIDGED, 0x8847),
    "pseudowire with a control word": on_link(
        label(16, last=False) + label(100) + bytes(4) + BRIDGED, 0x8847
    ),
    "pseudowire's channel": on_link(label(100) + b"\x10\0\0\x21" + IP4, 0x8847),
    "vxlan-gpe": vxlan_gpe(IP4, 1),
    "vxlan-gpe with ipv6": vxlan_gpe(IP6, 2),
    "vxlan-gpe with ethernet": vxlan_gpe(INSIDE, 3),
    "vxlan-gpe with mpls": vxlan_gpe(label(3) + IP4, 5),
    "vxlan-gpe with nsh": vxlan_gpe(nsh(INSIDE, 3), 4),
    "nsh": on_link(nsh(IP4, 1), 0x894F),
    "nsh of type 2": on_link(nsh(IP6, 2, 2), 0x894F),
    "nsh in gre": gre(nsh(INSIDE, 3), 0x894F),
    "geneve with mpls": in_udp(b"\0\0\x88\x47\0\0\x08\0" + label(3) + IP4, 6081),
    "wccp": gre(IP4, 0x883E),
    "wccp 2": gre(bytes(4) + IP4, 0x883E),
    "mpls in udp": in_udp(label(3) + IP4, 6635),
    "gre in udp": in_udp(b"\0\0\x08\0" + IP4, 4754),
    "teredo": in_udp(IP6, 3544),
    "teredo with all fields": in_udp(bytes([0, 1, 0, 0]) + bytes(9) + bytes(8) + IP6, 3544),
    "l2tp": in_udp(struct.pack("!3H", 2, 1, 2) + PPP + IP4, 1701),
    "l2tp with all fields": in_udp(
        struct.pack("!8H", 0x4A02, 22 + len(IP4), 1, 2, 0, 0, 2, 0) + PPP + IP4, 1701
    ),
    "pbb": on_link(struct.pack("!I", 0x123) + INSIDE, 0x88E7),
    "trill": on_link(bytes(6) + INSIDE, 0x22F3),
    "lisp": in_udp(bytes(8) + IP4, 4341),
    "e-tag": on_link(bytes(6) + struct.pack("!H", fb.IPV4) + IP4, 0x893F),
    "vn-tag": on_link(bytes(4) + struct.pack("!H", fb.IPV4) + IP4, 0x8926),
    "hsr": on_link(struct.pack("!2H", len(IP4) + 6, 0) + struct.pack("!H", fb.IPV4) + IP4, 0x892F),
    "cmd": on_link(b"\1\1\0\1\0\7" + struct.pack("!H", fb.IPV4) + IP4, 0x8909),
}
