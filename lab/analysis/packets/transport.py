"""TCP and UDP in a walk, from the first byte of their headers."""

from __future__ import annotations

from dataclasses import replace

from lab.analysis.packets import headers
from lab.analysis.packets.packet import Udp
from lab.analysis.packets.tunnels import BY_EITHER_PORT, BY_PORT, Parser
from lab.analysis.packets.walk import Walk

TCP, UDP = 6, 17

PORTS_BYTES = 4
"""Both begin with the ports, two bytes each."""

LONGEST_LENGTH = 0xFFFF
"""Of a UDP datagram, and of an IP packet that is no jumbogram."""


def dissect_tcp(walk: Walk, at: int, end: int, addresses: bytes | None) -> None:
    """Add Tcp and Payload, or TcpStart where of the header's 20 fixed bytes the ports are there.

    Unreadable options leave the segment standing: Linux ignores them, and delivers its
    data.
    """
    present_end = walk.present_end(end)
    if PORTS_BYTES <= present_end - at < 20:
        walk.layers.append(headers.tcp_start(walk.data[:present_end], at))
    if not walk.holds(at, 20, end, "TCP"):
        return
    header_bytes = (walk.data[at + 12] >> 4) * 4
    if header_bytes < 20:
        walk.malformed(at, "TCP", f"data offset is {header_bytes} bytes, below 20")
        return
    header_end = at + header_bytes
    checksum_ok = walk.checksum_ok(at, end, addresses, TCP)
    tcp, error = headers.tcp(
        walk.data, at, min(header_end, present_end), max(end - header_end, 0), checksum_ok
    )
    if checksum_ok is False and addresses is not None:
        right, is_left = walk.mended(at, end, addresses, TCP, 16)
        tcp = replace(tcp, right_checksum=right, is_left_to_card=is_left)
    walk.layers.append(tcp)
    if header_end > end:
        reason = f"data offset is {header_bytes} bytes, past the segment's {end - at}"
        walk.malformed(at, "TCP", reason)
    elif walk.holds(at, header_bytes, end, "TCP") and error:
        walk.malformed(at + 20 + error.offset, "TCP", error.reason)
    walk.payload(header_end, end)


def dissect_udp(walk: Walk, at: int, end: int, addresses: bytes | None) -> None:
    """Add Udp and Payload, or UdpStart where of the header's 8 bytes the ports are there.

    Bytes past the UDP length are not its payload. RFC 2675, 4, has a length of 0 where it is
    more than the field can hold.
    """
    if PORTS_BYTES <= walk.present_end(end) - at < 8:
        walk.layers.append(headers.udp_start(walk.data, at))
    if not walk.holds(at, 8, end, "UDP"):
        return
    length = int.from_bytes(walk.data[at + 4 : at + 6], "big")
    if length == 0 and end - at > LONGEST_LENGTH:
        length = end - at
    if length < 8:
        walk.malformed(at, "UDP", f"length is {length}, below 8")
        return
    too_long = at + length > end
    datagram_end = end if too_long else at + length
    checksum_ok = None if too_long else _udp_checksum_ok(walk, at, datagram_end, addresses)
    udp = headers.udp(walk.data, at, datagram_end - at - 8, checksum_ok)
    if checksum_ok is False and addresses is not None:
        right, is_left = walk.mended(at, datagram_end, addresses, UDP, 6)
        udp = replace(udp, right_checksum=right or 0xFFFF, is_left_to_card=is_left)
    walk.layers.append(udp)
    if too_long:
        walk.malformed(at, "UDP", f"length is {length}, past the packet's {end - at}")
    if walk.enter is not None and (tunnel := _tunnel_of(udp)) is not None:
        following = tunnel(walk, at + 8, datagram_end)
        if following is not None:
            walk.enter(walk, *following)
        return
    walk.payload(at + 8, datagram_end)


def _tunnel_of(udp: Udp) -> Parser | None:
    """What its ports say that it carries."""
    return (
        BY_PORT.get(udp.destination_port)
        or BY_EITHER_PORT.get(udp.destination_port)
        or BY_EITHER_PORT.get(udp.source_port)
    )


def _udp_checksum_ok(walk: Walk, at: int, end: int, addresses: bytes | None) -> bool | None:
    """As sent over IPv4, zero is no checksum (RFC 768); over IPv6 it is none allowed."""
    if addresses is not None and walk.data[at + 6 : at + 8] == b"\0\0":
        return None if len(addresses) == 8 else False
    return walk.checksum_ok(at, end, addresses, UDP)
