"""Frames of many link types with a TCP segment inside, made with struct alone."""

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
}
"""By link type and by what is particular: each with the segment of DATA over IPv4 or IPv6."""
