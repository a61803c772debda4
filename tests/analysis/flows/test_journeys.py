from __future__ import annotations

import struct
from ipaddress import ip_address

import pytest

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
    return ethernet(SIDES[source], SIDES[destination], _ipv4(*FOUR, ttl, ident) + udp, 0x0800)


def _ipv4(source: str, destination: str, ttl: int, ident: int) -> bytes:
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
    return join_journeys(links, ("s",), ("r",), owners)


def told(crossing: Crossing) -> tuple[str, str, int | None, int | None, str]:
    path = "".join(hop.sender for hop in crossing.hops[1:])
    return crossing.sender, crossing.receiver, crossing.sent_ns, crossing.received_ns, path


def learned(start_ns: int = 0) -> list[list[Frame]]:
    """a, b and c have each sent something, so that it is known who they are."""
    return [
        over(start_ns + number, host, "s", ethernet(address, BROADCAST, b"here"))
        for number, (host, address) in enumerate(zip("abc", (ONE, TWO, THREE), strict=True))
    ]


def test_without_switches_and_routers_crossings_are_as_they_were() -> None:
    links = join_crossings(over(1, "a", "s", ethernet(ONE, TWO)), STAR)
    assert join_journeys(links, (), (), {}) is links


def test_what_a_switch_forwards_is_one_way_from_host_to_host() -> None:
    data = ethernet(ONE, TWO)
    found = ways(STAR, over(10, "a", "s", data), over(12, "s", "b", data))
    assert [told(each) for each in found] == [("a", "b", 10, 13, "s")]
    assert [(hop.sender, hop.receiver, hop.sent_ns) for hop in found[0].hops] == [
        ("a", "s", 10), ("s", "b", 12),
    ]  # fmt: skip


def test_of_a_flooded_frame_the_way_to_its_destination_is_the_way_and_others_are_copies() -> None:
    data = ethernet(ONE, THREE)
    found = ways(
        STAR,
        *learned(),
        over(10, "a", "s", data),
        over(12, "s", "b", data),
        over(14, "s", "c", data),
    )
    assert [told(each) for each in found[3:]] == [("a", "c", 10, 15, "s"), ("s", "b", 12, 13, "")]


def test_a_broadcast_reaches_each_host_and_is_sent_once() -> None:
    data = ethernet(ONE, BROADCAST)
    found = ways(STAR, over(10, "a", "s", data), over(12, "s", "b", data), over(14, "s", "c", data))
    assert [told(each) for each in found] == [("a", "b", 10, 13, "s"), ("s", "c", 14, 15, "")]
    assert [each.number for each in found] == [1, 2]


def test_the_same_bytes_sent_twice_are_two_ways() -> None:
    data = ethernet(ONE, TWO)
    found = ways(
        STAR,
        over(10, "a", "s", data),
        over(12, "s", "b", data),
        over(20, "a", "s", data),
        over(22, "s", "b", data),
    )
    assert [told(each) for each in found] == [("a", "b", 10, 13, "s"), ("a", "b", 20, 23, "s")]


def test_a_switch_sends_nothing_back_to_where_it_came_from() -> None:
    data = ethernet(ONE, TWO)
    found = ways(STAR, over(10, "a", "s", data), over(12, "s", "a", data))
    assert [told(each)[:2] for each in found] == [("a", "s"), ("s", "a")]


@pytest.mark.parametrize("version", [4, 6])
def test_what_a_router_forwards_is_one_way_whatever_it_has_changed(version: int) -> None:
    if version == 4:
        before, after = ip("a", "r0", b"text"), ip("r1", "b", b"text", ttl=63)
    else:
        before, after = ipv6("a", "r0", 64), ipv6("r1", "b", 63)
    (found,) = ways(ROW, over(10, "a", "r", before), over(12, "r", "b", after))
    assert told(found) == ("a", "b", 10, 13, "r")
    assert found.packet.frame.data == before
    assert found.arrived.frame.data == after


def test_two_packets_of_the_same_bytes_are_forwarded_in_their_order() -> None:
    before, after = ip("a", "r0", b"text"), ip("r1", "b", b"text", ttl=63)
    found = ways(
        ROW,
        over(10, "a", "r", before),
        over(11, "a", "r", before),
        over(20, "r", "b", after),
        over(30, "r", "b", after),
    )
    assert [told(each)[2:4] for each in found] == [(10, 21), (11, 31)]


def test_another_packet_of_a_router_is_none_that_it_forwarded() -> None:
    before, after = ip("a", "r0", b"text"), ip("r1", "b", b"text", ttl=63, ident=8)
    found = ways(ROW, over(10, "a", "r", before), over(12, "r", "b", after))
    assert [told(each)[:2] for each in found] == [("a", "b"), ("r", "b")]


def test_what_a_router_does_not_forward_has_not_arrived() -> None:
    (found,) = ways(ROW, over(10, "a", "r", ip("a", "r0", b"text", ttl=1)))
    assert told(found) == ("a", "b", 10, None, "")
    assert found.lost
    assert [(hop.receiver, hop.received_ns) for hop in found.hops] == [("r", 11)]


def test_what_is_for_a_router_itself_has_arrived() -> None:
    data = ethernet(ONE, R0, _ipv4(FOUR[0], "198.18.0.1", 64, 7) + bytes(12), 0x0800)
    links = join_crossings(over(10, "a", "r", data), ROW)
    owners = {ip_address("198.18.0.1"): "r", ip_address(FOUR[0]): "a"}
    assert join_journeys(links, (), ("r",), owners) == links


def test_a_frame_lost_on_the_second_link_was_lost_there() -> None:
    data = ethernet(ONE, TWO)
    (found,) = ways(STAR, over(10, "a", "s", data), [seen(12, "s/b", OUT, data)])
    assert told(found) == ("a", "b", 10, None, "s")
    assert [hop.received_ns for hop in found.hops] == [11, None]


def test_a_frame_that_left_before_it_came_is_another() -> None:
    data = ethernet(ONE, TWO)
    found = ways(STAR, over(12, "a", "s", data), over(5, "s", "b", data))
    assert [told(each)[:2] for each in found] == [("s", "b"), ("a", "s")]


def test_ways_are_numbered_from_the_first_links_number() -> None:
    data = ethernet(ONE, TWO)
    found = ways(STAR, over(10, "a", "s", data), over(12, "s", "b", data), first=40)
    assert [each.number for each in found] == [40]
    assert ways(STAR) == ()


def arp(source: str, target: str) -> bytes:
    """A question for a hardware address, to everybody. Source: RFC 826."""
    sender = ip_address(FOUR[0]).packed
    asked = bytes(6) + ip_address(target).packed
    return ethernet(
        source,
        BROADCAST,
        struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + bytes.fromhex(source) + sender + asked,
        0x0806,
    )


def test_the_way_of_a_question_goes_to_whom_it_is_about() -> None:
    data = arp(ONE, FOUR[1])
    found = ways(STAR, over(10, "a", "s", data), over(12, "s", "c", data), over(14, "s", "b", data))
    assert [told(each) for each in found] == [("a", "b", 10, 15, "s"), ("s", "c", 12, 13, "")]
