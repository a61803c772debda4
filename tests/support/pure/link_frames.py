"""Frames over the links of small networks, and what becomes of them as journeys."""

from __future__ import annotations

import struct
from ipaddress import ip_address

from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.crossings import join_crossings
from lab.analysis.flows.journeys import join_journeys
from lab.records import CapturePoint, Direction, Frame

OUT, IN = Direction.OUT, Direction.IN
BROADCAST = "ff" * 6
ONE, TWO, THREE, R0, R1 = (f"0200000000{number:02x}" for number in (1, 2, 3, 0x10, 0x11))
FOUR = ("198.18.0.2", "198.18.1.2")
SIX = ("2001:db8::2", "2001:db8:0:1::2")


def point(host: str, interface: str, link: str) -> CapturePoint:
    return CapturePoint(f"{host}/{interface}", host, interface, link, 0, 0)


def cable(one: str, other: str) -> tuple[CapturePoint, CapturePoint]:
    """Both ends, each named after the other host."""
    link = f"{one}--{other}"
    return point(one, other, link), point(other, one, link)


STAR = (*cable("a", "s"), *cable("b", "s"), *cable("c", "s"))
ROW = (*cable("a", "r"), *cable("r", "b"))


def ethernet(source: str, destination: str, payload: bytes = b"x", kind: int = 0x88B6) -> bytes:
    return bytes.fromhex(destination + source) + struct.pack("!H", kind) + payload


SIDES = {"a": ONE, "b": TWO, "r0": R0, "r1": R1}


def ip(source: str, destination: str, text: bytes, ttl: int = 64, ident: int = 7) -> bytes:
    """A datagram from a to b, in a frame from one side to another."""
    udp = struct.pack("!4H", 1000, 2000, 8 + len(text), 0) + text
    return ethernet(SIDES[source], SIDES[destination], ipv4(*FOUR, ttl, ident) + udp, 0x0800)


def ipv4(source: str, destination: str, ttl: int, ident: int) -> bytes:
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + 8 + 4, ident, 0, ttl, 17, ttl)
    return head + ip_address(source).packed + ip_address(destination).packed


def ipv6(source: str, destination: str, hops: int) -> bytes:
    udp = struct.pack("!4H", 1000, 2000, 12, 0x1234) + b"text"
    head = struct.pack("!IHBB", 6 << 28, len(udp), 17, hops)
    addresses = ip_address(SIX[0]).packed + ip_address(SIX[1]).packed
    return ethernet(SIDES[source], SIDES[destination], head + addresses + udp, 0x86DD)


def seen(time_ns: int, at: str, direction: Direction, data: bytes) -> Frame:
    return Frame(time_ns, at, direction, data, len(data))


def over(start_ns: int, one: str, other: str, data: bytes) -> list[Frame]:
    """A frame that takes 1 ns over a link."""
    return [
        seen(start_ns, f"{one}/{other}", OUT, data),
        seen(start_ns + 1, f"{other}/{one}", IN, data),
    ]


def ways(
    points: tuple[CapturePoint, ...], *frames: list[Frame], first: int = 1
) -> tuple[Crossing, ...]:
    links = join_crossings([frame for some in frames for frame in some], points, first)
    owners = {
        ip_address(address): host
        for pair in (FOUR, SIX)
        for address, host in zip(pair, "ab", strict=True)
    }
    return join_journeys(links, ("s",), ("r",), owners).crossings
