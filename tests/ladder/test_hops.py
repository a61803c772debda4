from __future__ import annotations

import struct
from dataclasses import replace
from ipaddress import ip_address

import nat_packets as n
import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.crossing import Crossing, Hop
from lab.analysis.packets.dissect import dissect
from lab.analysis.packets.packet import Packet
from lab.analysis.story import Phase
from lab.analysis.timeline import Timeline
from lab.ladder.frames import frame_row, part_of
from lab.ladder.hops import hop_rows, hosts_with_a_part, spread, without_mere_copies
from lab.ladder.model import FrameRow, Part
from lab.ladder.repetition import Elided
from lab.records import Direction, Frame

LANES = {"a": 0, "s": 1, "r": 2, "b": 3}


def packet(source: int, destination: int, ttl: int, version: int = 4) -> Packet:
    """A datagram to a discarding port, between two stations by their numbers."""
    udp = struct.pack("!4H", 1000, 9, 8, 0)
    if version == 4:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 28, 7, 0, ttl, 17, 0)
        head += ip_address("198.18.0.2").packed + ip_address("198.18.1.2").packed
    else:
        head = struct.pack("!IHBB", 6 << 28, 8, 17, ttl)
        head += ip_address("2001:db8::2").packed + ip_address("2001:db8:0:1::2").packed
    link = bytes((2, 0, 0, 0, 0, destination, 2, 0, 0, 0, 0, source))
    data = link + (b"\x08\0" if version == 4 else b"\x86\xdd") + head + udp
    return dissect(Frame(0, "a/eth0", Direction.OUT, data, len(data)))


def over(version: int = 4, arrives: bool = True, stops: bool = False) -> Crossing:
    """From a over a switch and a router to b."""
    first, second = packet(1, 3, 64, version), packet(4, 2, 63, version)
    hops = [
        Hop(first, "a", "s", 10, 11),
        Hop(first, "s", "r", 20, 21),
        Hop(second, "r", "b", 30, 31 if arrives else None),
    ]
    received_ns = 31 if arrives and not stops else None
    return Crossing(5, first, "a", "b", 10, received_ns, tuple(hops[: 2 if stops else 3]))


def row_of(crossing: Crossing, part: Part = Part.WHOLE) -> FrameRow:
    whole = frame_row(crossing, None, (0, 3, True), Phase.DATAGRAMS, name="f5")
    time_ns = 31 if part is Part.END else 10
    return part_of(whole, part, time_ns, is_concurrent=False)


def rows(crossing: Crossing, part: Part = Part.WHOLE) -> list[FrameRow]:
    return list(hop_rows(row_of(crossing, part), crossing, LANES.__getitem__))


def test_a_frame_over_one_link_is_one_row() -> None:
    single = replace(over(), hops=())
    assert rows(single) == [row_of(single)]


def test_each_link_has_an_arrow_and_what_was_changed_stands_on_it() -> None:
    found = rows(over())
    assert [(row.source, row.target, row.hop, row.time_ns) for row in found] == [
        (0, 1, 1, 10), (1, 2, 2, 20), (2, 3, 3, 30),
    ]  # fmt: skip
    assert [row.text for row in found[1:]] == [
        "s forwards it",
        "r forwards it: TTL 64 → 63, from 02:00:00:00:00:04, to 02:00:00:00:00:02",
    ]
    assert found[0].text == row_of(over()).text
    assert all(row.part is Part.WHOLE for row in found)


def translated(*packets: bytes) -> str:
    """What stands on the link behind a NAT."""
    one, other = (
        dissect(Frame(0, "r/eth0", Direction.OUT, n.framed(each), len(each) + 14))
        for each in packets
    )
    hops = Hop(one, "a", "r", 10, 11), Hop(other, "r", "b", 20, 21)
    return rows(Crossing(5, one, "a", "b", 10, 21, hops))[1].text


def test_what_a_nat_translates_stands_before_what_any_router_changes() -> None:
    client, server = (n.CLIENTS[4][0], n.SAME), (n.SERVER[4], n.PORT)
    outer = n.OUTSIDE[4], n.FIRST
    sent, asked = n.datagram(client, server), n.datagram(outer, server, ttl=63)
    assert translated(sent, asked) == (
        "r translates 10.0.0.2:4000 → 198.51.100.1:61000, TTL 64 → 63"
    )
    errors = (
        n.unreachable(server[0], outer[0], asked),
        n.unreachable(server[0], client[0], n.datagram(client, server, ttl=63)),
    )
    assert translated(*errors) == (
        "r translates 198.51.100.1 → 10.0.0.2, quoted 198.51.100.1:61000 → 10.0.0.2:4000"
    )
    echoes = n.echo("fd00::2", "2001:db8::2", 7), n.echo("2001:db8::1", "2001:db8::2", 61_000)
    assert translated(*echoes) == ("r translates fd00::2 → 2001:db8::1, identifier 7 → 61000")


def test_a_hop_limit_is_counted_down_as_well() -> None:
    assert "hop limit 64 → 63" in rows(over(version=6))[2].text


@pytest.mark.parametrize(("part", "hops"), [(Part.START, [1, 2]), (Part.END, [3])])
def test_the_last_link_belongs_to_the_arrival(part: Part, hops: list[int]) -> None:
    assert [row.hop for row in rows(over(), part)] == hops


def test_a_frame_is_lost_on_the_link_on_which_it_was_lost() -> None:
    assert [row.is_lost for row in rows(over(arrives=False))] == [False, False, True]


def test_who_does_not_forward_a_frame_is_said() -> None:
    found = rows(over(stops=True))
    assert [row.is_lost for row in found] == [False, False]
    assert found[-1].details == ("r does not forward it",)
    assert "r does not forward it" not in found[0].details


def test_links_stand_in_their_time_among_other_rows() -> None:
    crossing = over()
    start, end = row_of(crossing, Part.START), row_of(crossing, Part.END)
    other = replace(crossing, number=6, hops=(), sent_ns=15, received_ns=25)
    between = replace(row_of(other), time_ns=15)
    order = spread([start, between, end], {5: crossing, 6: other}, LANES.__getitem__)
    found = [row for row in order if isinstance(row, FrameRow)]
    assert [(row.event.number, row.hop) for row in found] == [(5, 1), (6, 0), (5, 2), (5, 3)]


def test_links_of_a_frame_that_nothing_ends_are_drawn_all_the_same() -> None:
    crossing = over()
    found = spread([row_of(crossing, Part.START)], {5: crossing}, LANES.__getitem__)
    assert [row.hop for row in found if isinstance(row, FrameRow)] == [1, 2]


def test_what_is_elided_stays_one_row_for_each_frame() -> None:
    elided = Elided((row_of(over()),), "... 1 more")
    assert list(spread([elided], {5: over()}, LANES.__getitem__)) == [elided]


def test_copies_to_hosts_without_a_part_are_counted_on_the_link_behind_their_switch() -> None:
    crossing = over()
    data = crossing.hops[1].packet.frame.data
    found = list(hop_rows(row_of(crossing), crossing, LANES.__getitem__, {(data, "s"): 2}))
    assert [row.text for row in found[1:2]] == ["s forwards it, and to 2 hosts more"]
    assert found[0].text == row_of(crossing).text
    assert "hosts more" not in found[2].text


def recorded(*crossings: Crossing) -> Timeline:
    """A step of the programs client and server, and the switch s, with these crossings."""
    (timeline,) = build_timelines(r.recorded(4))
    recording = replace(timeline.recording, switches=("s",))
    return replace(timeline, recording=recording, crossings=crossings)


def test_what_a_switch_floods_to_a_host_without_a_part_is_left_out() -> None:
    way = replace(over(), sender="client", receiver="server")
    copy = replace(way, number=6, sender="s", receiver="x", hops=())
    other = replace(way, number=7, sender="s", receiver="server", hops=())
    outer, copies = without_mere_copies(recorded(way, copy, copy, other))
    assert [each.number for each in outer.crossings] == [5, 7]
    assert copies == {(copy.packet.frame.data, "s"): 2}


def test_a_host_that_answers_has_a_part() -> None:
    way = replace(over(), sender="client", receiver="server")
    copy = replace(way, number=6, sender="s", receiver="x", hops=())
    answer = replace(way, number=7, sender="x", receiver="client", hops=())
    timeline = recorded(way, copy, answer)
    assert without_mere_copies(timeline) == (timeline, {})
    assert hosts_with_a_part(timeline) == {"client", "server", "x", "s", "r", "b"}
