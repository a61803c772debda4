from __future__ import annotations

import struct
from dataclasses import replace
from ipaddress import ip_address

import pytest
from link_frames import FOUR, ONE, R0, R1, ROW, TWO, ethernet, ip, over, ways

from lab.analysis.flows.changes import changes
from lab.analysis.flows.crossings import join_crossings
from lab.analysis.flows.fragmenting import Carried, Fragmenting, carried_by, carried_of
from lab.analysis.flows.journeys import join_journeys
from lab.records import CapturePoint, Frame

TEXT = bytes(range(64))
UDP = struct.pack("!4H", 1000, 2000, 8 + len(TEXT), 0) + TEXT
"""What follows the IP header of the whole datagram: 72 bytes."""


def packet(start: int = 0, end: int = len(UDP), *, ident: int = 7, ttl: int = 64) -> bytes:
    """The datagram from a to b, or a fragment of it."""
    data = UDP[start:end]
    place = start // 8 | (0 if end == len(UDP) else 0x2000)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), ident, place, ttl, 17, 0)
    return head + ip_address(FOUR[0]).packed + ip_address(FOUR[1]).packed + data


def whole(time_ns: int = 10, **more: int) -> list[Frame]:
    data = ethernet(ONE, R0, packet(**more), 0x0800)
    return over(time_ns, "a", "r", data)


def fragment(time_ns: int, start: int, end: int, **more: int) -> list[Frame]:
    data = ethernet(R1, TWO, packet(start, end, ttl=63, **more), 0x0800)
    return over(time_ns, "r", "b", data)


def test_the_fragments_that_a_router_made_are_the_way_of_one_datagram() -> None:
    (found,) = ways(ROW, whole(), fragment(20, 0, 48), fragment(30, 48, 72))
    assert (found.sender, found.receiver, found.sent_ns, found.received_ns) == ("a", "b", 10, 31)
    assert not found.lost
    assert found.packet.payload == TEXT
    assert [(hop.sender, hop.receiver, hop.sent_ns) for hop in found.hops] == [
        ("a", "r", 10), ("r", "b", 20), ("r", "b", 30),
    ]  # fmt: skip
    assert [found.hop_before(place) for place in range(3)] == [None, found.hops[0], found.hops[0]]
    assert [before for before, _ in found.forwarded] == [found.hops[0]] * 2
    cut = [
        (each.before, each.after)
        for before, after in found.forwarded
        for each in changes(before.packet, after.packet)
        if each.field == "fragment"
    ]
    assert cut == [("0-71", "0-47"), ("0-71", "48-71")]


def test_what_was_cut_has_the_same_ends() -> None:
    (found,) = ways(ROW, whole(), fragment(20, 0, 48), fragment(30, 48, 72))
    fields = {each.field for b, a in found.forwarded for each in changes(b.packet, a.packet)}
    assert not fields & {"source", "destination", "identifier", "checksum"}


@pytest.mark.parametrize(
    "missing", [fragment(20, 0, 48), fragment(30, 48, 72)], ids=["first", "last"]
)
def test_a_fragment_that_never_left_leaves_the_datagram_lost(missing: list[Frame]) -> None:
    there = [each for each in (fragment(20, 0, 48), fragment(30, 48, 72)) if each != missing]
    (found,) = ways(ROW, whole(), *there)
    assert found.lost
    assert len(found.hops) == 2


def test_a_fragment_that_was_lost_on_the_next_link_leaves_the_datagram_lost() -> None:
    (found,) = ways(ROW, whole(), fragment(20, 0, 48), fragment(30, 48, 72)[:1])
    assert found.lost
    assert [hop.received_ns for hop in found.hops] == [11, 21, None]


LONG = (
    *ROW[:2],
    CapturePoint("r/q", "r", "q", "r--q", 0, 0),
    CapturePoint("q/r", "q", "r", "r--q", 0, 0),
    CapturePoint("q/b", "q", "b", "q--b", 0, 0),
    CapturePoint("b/q", "b", "q", "q--b", 0, 0),
)


def test_fragments_go_on_over_several_links_and_may_be_cut_again() -> None:
    def at(time_ns: int, one: str, other: str, start: int, end: int, ttl: int) -> list[Frame]:
        return over(time_ns, one, other, ethernet(R1, TWO, packet(start, end, ttl=ttl), 0x0800))

    frames = [
        *whole(),
        *at(20, "r", "q", 0, 48, 63),
        *at(22, "q", "b", 0, 24, 62),
        *at(24, "r", "q", 48, 72, 63),
        *at(26, "q", "b", 24, 48, 62),
        *at(28, "q", "b", 48, 72, 62),
    ]
    owners = {ip_address(FOUR[0]): "a", ip_address(FOUR[1]): "b"}
    links = join_crossings(frames, LONG)
    (found,) = join_journeys(links, (), ("r", "q"), owners).crossings
    assert (found.receiver, found.received_ns) == ("b", 29)
    before = [hop and hop.sent_ns for hop in map(found.hop_before, range(6))]
    assert [hop.sent_ns for hop in found.hops] == [10, 20, 22, 24, 26, 28]
    assert before == [None, 10, 20, 10, 20, 24]


def test_a_fragment_of_another_datagram_and_one_sent_twice_are_frames_of_their_own() -> None:
    other = fragment(40, 0, 48, ident=8)
    again = fragment(50, 0, 48)
    found = ways(ROW, whole(), fragment(20, 0, 48), fragment(30, 48, 72), other, again)
    assert [(each.sender, len(each.hops)) for each in found] == [("a", 3), ("r", 0), ("r", 0)]


def test_a_fragment_that_left_before_is_of_no_later_datagram() -> None:
    found = ways(ROW, fragment(5, 0, 48), whole())
    assert [each.sender for each in found] == ["r", "a"]


def test_two_datagrams_of_one_identification_are_cut_one_after_the_other() -> None:
    found = ways(
        ROW,
        whole(10),
        whole(12),
        fragment(20, 0, 48),
        fragment(22, 48, 72),
        fragment(24, 0, 48),
        fragment(26, 48, 72),
    )
    assert [(each.sent_ns, each.received_ns) for each in found] == [(10, 23), (12, 27)]


def test_what_is_forwarded_whole_is_not_cut() -> None:
    (found,) = ways(
        ROW,
        over(10, "a", "r", ip("a", "r0", b"text")),
        over(20, "r", "b", ip("r1", "b", b"text", ttl=63)),
    )
    assert [hop.follows for hop in found.hops] == [None, None]


def test_only_whole_ipv4_packets_carry_parts() -> None:
    assert carried_of(None) is None
    assert carried_of(b"\x60" + bytes(60)) is None
    for length in range(20):
        assert carried_of(packet()[:length]) is None
    first, last, every = carried_of(packet(0, 48)), carried_of(packet(48)), carried_of(packet())
    assert first and last and every
    assert first.is_part_of(every) and last.is_part_of(every)
    assert not every.is_part_of(every) and not every.is_part_of(first)
    assert not replace_data(first).is_part_of(every)
    assert not first._replace(is_last=True).is_part_of(every)
    assert (first.overlap(every), first.overlap(last)) == (48, 0)
    assert first.overlap(first._replace(start=8, end=48, data=first.data[8:])) == 40
    assert first.overlap(replace_data(first)) == 0
    assert first.overlap(first._replace(datagram="another")) == 0


def replace_data(carried: Carried) -> Carried:
    return carried._replace(data=bytes(len(carried.data)))


def test_what_came_to_another_router_was_not_cut_here() -> None:
    (came, left) = join_crossings([*whole(), *fragment(20, 0, 48)], ROW)
    cut = Fragmenting()
    cut.came(came)
    assert cut.fragmented(replace(left, sender="q"), bool) is None
    assert cut.fragmented(left, lambda _: False) is None
    assert cut.fragmented(left, bool) is came
    assert cut.fragmented(left, bool) is None
    assert cut.joined(left, bool) == []  # no router joins what it forwards
    assert [part.start for part in carried_by((came, left))] == [0, 0]
