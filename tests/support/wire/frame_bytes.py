"""Frames made with struct alone, so that tests have an oracle independent of scapy."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

MAC_A, MAC_B = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
V4_A, V4_B = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")
V6_A, V6_B = IPv6Address("2001:db8::1"), IPv6Address("2001:db8::2")

SYN, ACK, PSH = 0x02, 0x10, 0x08
IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806


def internet_checksum(data: bytes) -> int:
    """RFC 1071 word by word, unlike the arithmetic under test."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(payload: bytes, kind: int = IPV4, tags: tuple[tuple[int, int], ...] = ()) -> bytes:
    """`tags` are (tag protocol, tag control information), outermost first."""
    types = [tpid for tpid, _ in tags] + [kind]
    head = MAC_B + MAC_A + struct.pack("!H", types[0])
    for (_, tci), following in zip(tags, types[1:], strict=True):
        head += struct.pack("!HH", tci, following)
    return head + payload


def ipv4(
    payload: bytes,
    protocol: int = 6,
    *,
    options: bytes = b"",
    total: int | None = None,
    header: int | None = None,
    identification: int = 1,
    flags: int = 2,
    offset: int = 0,
    version: int = 4,
    tos: int = 0,
    source: IPv4Address = V4_A,
    destination: IPv4Address = V4_B,
) -> bytes:
    """`offset` in bytes; `total` and `header` override the true lengths, in bytes."""
    length = 20 + len(options)
    head = struct.pack(
        "!BBHHHBBH4s4s",
        version << 4 | (length if header is None else header) // 4,
        tos,
        length + len(payload) if total is None else total,
        identification,
        flags << 13 | offset // 8,
        64,
        protocol,
        0,
        source.packed,
        destination.packed,
    )
    head += options
    return head[:10] + struct.pack("!H", internet_checksum(head)) + head[12:] + payload


def ipv6(
    payload: bytes,
    next_header: int = 6,
    *,
    length: int | None = None,
    version: int = 6,
    source: IPv6Address = V6_A,
    destination: IPv6Address = V6_B,
) -> bytes:
    size = len(payload) if length is None else length
    head = struct.pack("!IHBB", version << 28, size, next_header, 64)
    return head + source.packed + destination.packed + payload


def pseudo_header(
    source: IPv4Address | IPv6Address,
    destination: IPv4Address | IPv6Address,
    protocol: int,
    length: int,
) -> bytes:
    form = "!BBH" if source.version == 4 else "!IxxxB"
    values = (0, protocol, length) if source.version == 4 else (length, protocol)
    return source.packed + destination.packed + struct.pack(form, *values)


def tcp(
    payload: bytes = b"",
    *,
    sport: int = 40000,
    dport: int = 80,
    seq: int = 1000,
    ack: int = 2000,
    flags: int = ACK,
    window: int = 8192,
    options: bytes = b"",
    data_offset: int | None = None,
    source: IPv4Address | IPv6Address = V4_A,
    destination: IPv4Address | IPv6Address = V4_B,
    checksum: int | None = None,
) -> bytes:
    """`data_offset` overrides the header's true length, in bytes."""
    size = 20 + len(options) if data_offset is None else data_offset
    head = struct.pack("!HHIIHHHH", sport, dport, seq, ack, size // 4 << 12 | flags, window, 0, 0)
    segment = head + options + payload
    if checksum is None:
        pseudo = pseudo_header(source, destination, 6, len(segment))
        checksum = internet_checksum(pseudo + segment)
    return segment[:16] + struct.pack("!H", checksum) + segment[18:]


def tcp6(payload: bytes = b"", **fields: int) -> bytes:
    return tcp(payload, source=V6_A, destination=V6_B, **fields)  # type: ignore[arg-type]


def udp(
    payload: bytes = b"",
    *,
    sport: int = 5000,
    dport: int = 5001,
    length: int | None = None,
    checksum: int | None = None,
    source: IPv4Address | IPv6Address = V4_A,
    destination: IPv4Address | IPv6Address = V4_B,
) -> bytes:
    size = 8 + len(payload) if length is None else length
    head = struct.pack("!HHHH", sport, dport, size, 0)
    if checksum is None:
        pseudo = pseudo_header(source, destination, 17, size)
        checksum = internet_checksum(pseudo + head + payload) or 0xFFFF
    return head[:6] + struct.pack("!H", checksum) + payload


def icmp(kind: int, code: int, rest: bytes, payload: bytes = b"") -> bytes:
    head = struct.pack("!BBH", kind, code, 0) + rest + payload
    return head[:2] + struct.pack("!H", internet_checksum(head)) + head[4:]


def icmpv6(kind: int, code: int, body: bytes) -> bytes:
    head = struct.pack("!BBH", kind, code, 0) + body
    pseudo = pseudo_header(V6_A, V6_B, 58, len(head))
    return head[:2] + struct.pack("!H", internet_checksum(pseudo + head)) + body


def fragment_header(
    offset: int, more: bool, identification: int = 7, next_header: int = 6
) -> bytes:
    return struct.pack("!BBHI", next_header, 0, offset | more, identification)


def cooked_v1(payload: bytes, protocol: int = IPV4) -> bytes:
    return struct.pack("!HHH8sH", 0, 1, 6, MAC_A, protocol) + payload


def cooked_v2(payload: bytes, protocol: int = IPV4) -> bytes:
    return struct.pack("!HHIHBB8s", protocol, 0, 3, 1, 0, 6, MAC_A) + payload
