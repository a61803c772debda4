"""IP packets with right checksums, of either version, by their addresses and ports."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

import frame_bytes as fb

UDP, TCP, ICMP, ICMPV6, FRAGMENT = 17, 6, 1, 58, 44
CLIENTS = {4: ("10.0.0.2", "10.0.0.3"), 6: ("fd00::2", "fd00::3")}
OUTSIDE = {4: "198.51.100.1", 6: "2001:db8::1"}
SERVER = {4: "198.51.100.2", 6: "2001:db8::2"}
SAME, FIRST, SECOND, PORT = 4000, 61_000, 61_001, 4242
"""The port of both clients, those that the NAT gives them, and the server's."""

End = tuple[str, int]


def datagram(
    source: End, destination: End, text: bytes = b"text", *, ttl: int = 64, ident: int = 0
) -> bytes:
    body = struct.pack("!4H", source[1], destination[1], 8 + len(text), 0) + text
    return _packet(
        source[0], destination[0], UDP, _summed(source, destination, UDP, body, 6), ttl, ident
    )


def segment(source: End, destination: End, seq: int, flags: int, *, ttl: int = 64) -> bytes:
    ports = source[1], destination[1]
    body = struct.pack("!HHIIBBHHH", *ports, seq, 0, 5 << 4, flags, 8192, 0, 0)
    return _packet(
        source[0], destination[0], TCP, _summed(source, destination, TCP, body, 16), ttl, 0
    )


def echo(source: str, destination: str, identifier: int, *, ttl: int = 64) -> bytes:
    """A request."""
    body = struct.pack("!BBHHH", 8 if "." in source else 128, 0, 0, identifier, 1) + b"ping"
    return _icmp(source, destination, body, ttl)


def unreachable(source: str, destination: str, quoted: bytes, *, ttl: int = 64) -> bytes:
    """A port unreachable about that packet."""
    kind, code = (3, 3) if "." in source else (1, 4)
    return _icmp(source, destination, struct.pack("!BBHI", kind, code, 0, 0) + quoted, ttl)


def fragments(whole: bytes, first: int, *, ident: int = 9) -> tuple[bytes, bytes]:
    """A packet in two, of which the first carries so many bytes, a multiple of 8."""
    if whole[0] >> 4 == 4:
        head, body = whole[:20], whole[20:]
        ends = (0x2000, body[:first]), (first // 8, body[first:])
        return tuple(  # type: ignore[return-value]
            _headed(
                head[:2] + struct.pack("!HHH", 20 + len(part), ident, place) + head[8:10],
                head[12:20],
            )
            + part
            for place, part in ends
        )
    head, body = whole[:40], whole[40:]
    pieces = (1, body[:first]), (first, body[first:])
    return tuple(  # type: ignore[return-value]
        head[:4] + struct.pack("!HB", 8 + len(part), FRAGMENT) + head[7:]
        + struct.pack("!BBHI", head[6], 0, place, ident) + part
        for place, part in pieces
    )  # fmt: skip


def framed(packet: bytes) -> bytes:
    """In a frame between two stations."""
    return fb.ethernet(packet, fb.IPV4 if packet[0] >> 4 == 4 else fb.IPV6)


def _headed(before: bytes, addresses: bytes) -> bytes:
    """An IPv4 header with its checksum."""
    head = before + b"\0\0" + addresses
    return before + struct.pack("!H", fb.internet_checksum(head)) + addresses


def _packet(
    source: str, destination: str, protocol: int, body: bytes, ttl: int, ident: int
) -> bytes:
    addresses = ip_address(source).packed + ip_address(destination).packed
    if len(addresses) == 8:
        before = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(body), ident, 0x4000, ttl, protocol)
        return _headed(before, addresses) + body
    return struct.pack("!IHBB", 6 << 28, len(body), protocol, ttl) + addresses + body


def _summed(source: End, destination: End, protocol: int, body: bytes, place: int) -> bytes:
    """With the checksum at that place."""
    pseudo = fb.pseudo_header(_ip(source[0]), _ip(destination[0]), protocol, len(body))
    checksum = struct.pack("!H", fb.internet_checksum(pseudo + body))
    return body[:place] + checksum + body[place + 2 :]


def _icmp(source: str, destination: str, body: bytes, ttl: int) -> bytes:
    is_four = "." in source
    protocol = ICMP if is_four else ICMPV6
    ends = _ip(source), _ip(destination)
    pseudo = b"" if is_four else fb.pseudo_header(*ends, protocol, len(body))
    body = body[:2] + struct.pack("!H", fb.internet_checksum(pseudo + body)) + body[4:]
    return _packet(source, destination, protocol, body, ttl, 0)


def _ip(text: str) -> IPv4Address | IPv6Address:
    return ip_address(text)
