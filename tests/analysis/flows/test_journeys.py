from __future__ import annotations

import struct
from ipaddress import ip_address

import nat_packets as n
import pytest
from link_frames import (
    BROADCAST,
    FOUR,
    IN,
    ONE,
    OUT,
    R0,
    ROW,
    STAR,
    THREE,
    TWO,
    cable,
    ethernet,
    ip,
    ipv4,
    ipv6,
    over,
    seen,
    ways,
)

from lab.analysis.flows.changes import changes
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.crossings import join_crossings
from lab.analysis.flows.flow import ends_seen, group_flows
from lab.analysis.flows.journeys import join_journeys
from lab.model.address import SocketAddress
from lab.records import Frame, Translation


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
    assert join_journeys(links, (), (), {}).crossings is links


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
    data = ethernet(ONE, R0, ipv4(FOUR[0], "198.18.0.1", 64, 7) + bytes(12), 0x0800)
    links = join_crossings(over(10, "a", "r", data), ROW)
    owners = {ip_address("198.18.0.1"): "r", ip_address(FOUR[0]): "a"}
    assert join_journeys(links, (), ("r",), owners).crossings == links


def test_a_frame_lost_on_the_second_link_was_lost_there() -> None:
    data = ethernet(ONE, TWO)
    (found,) = ways(STAR, over(10, "a", "s", data), [seen(12, "s/b", OUT, data)])
    assert told(found) == ("a", "b", 10, None, "s")
    assert [hop.received_ns for hop in found.hops] == [11, None]


def test_a_frame_that_left_before_it_came_is_another() -> None:
    data = ethernet(ONE, TWO)
    found = ways(STAR, over(12, "a", "s", data), over(5, "s", "b", data))
    assert [told(each)[:2] for each in found] == [("s", "b"), ("a", "s")]


def test_one_that_was_not_seen_leaving_and_not_forwarded_has_the_time_it_was_seen_at() -> None:
    data = ip("a", "r0", b"text", ttl=1)
    (found,) = ways(ROW, [seen(11, "r/a", IN, data)])
    assert told(found) == ("a", "b", None, None, "")
    assert found.time_ns == 11


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


LAN = (*cable("h1", "nat"), *cable("h2", "nat"), *cable("nat", "server"))
VERSIONS = pytest.mark.parametrize("version", [4, 6])


def over_nat(
    version: int, *frames: list[Frame], table: tuple[Translation, ...] = ()
) -> tuple[tuple[Crossing, ...], tuple[str, ...]]:
    """The ways of these frames behind a NAT, and what is doubtful of them."""
    links = join_crossings([frame for some in frames for frame in some], LAN)
    addresses = (*n.CLIENTS[version], n.OUTSIDE[version], n.SERVER[version])
    owners = dict(zip(map(ip_address, addresses), ("h1", "h2", "nat", "server"), strict=True))
    found = join_journeys(links, (), ("nat",), owners, ("nat",), table)
    return found.crossings, found.doubts


def step(start_ns: int, one: str, other: str, packet: bytes) -> list[Frame]:
    return over(start_ns, one, other, n.framed(packet))


def parties(version: int) -> tuple[n.End, n.End, n.End, n.End, n.End]:
    """Two clients with one port, as whom they leave, and the server."""
    one, two = ((client, n.SAME) for client in n.CLIENTS[version])
    outer = n.OUTSIDE[version]
    return one, two, (outer, n.FIRST), (outer, n.SECOND), (n.SERVER[version], n.PORT)


def listed(version: int, number: int, port: int) -> Translation:
    server = n.SERVER[version], n.PORT
    client = n.CLIENTS[version][number]
    return Translation(0, "nat", 17, client, n.SAME, *server, n.OUTSIDE[version], port, *server)


@VERSIONS
def test_what_a_nat_translates_is_one_way_there_and_back(version: int) -> None:
    one, _, first, _, server = parties(version)
    found, doubts = over_nat(
        version,
        step(10, "h1", "nat", n.datagram(one, server)),
        step(12, "nat", "server", n.datagram(first, server, ttl=63)),
        step(20, "server", "nat", n.datagram(server, first)),
        step(22, "nat", "h1", n.datagram(server, one, ttl=63)),
    )
    assert [told(each) for each in found] == [
        ("h1", "server", 10, 13, "nat"), ("server", "h1", 20, 23, "nat"),
    ]  # fmt: skip
    assert doubts == ()
    (flow,) = group_flows(found)
    assert (flow.a, flow.b) == (address(one), address(server))
    assert ends_seen(flow) == (address(first), address(server))


def address(end: n.End) -> SocketAddress:
    return SocketAddress(ip_address(end[0]), end[1])


def together(version: int) -> list[list[Frame]]:
    """The same datagram of both clients, at the NAT at one time; the second leaves first."""
    one, two, first, second, server = parties(version)
    return [
        step(10, "h1", "nat", n.datagram(one, server)),
        step(11, "h2", "nat", n.datagram(two, server)),
        step(20, "nat", "server", n.datagram(second, server, ttl=63)),
        step(22, "nat", "server", n.datagram(first, server, ttl=63)),
    ]


@VERSIONS
def test_two_that_nothing_tells_apart_are_not_guessed(version: int) -> None:
    one, two, _, second, server = parties(version)
    found, doubts = over_nat(version, *together(version))
    assert [each.sender for each in found] == ["h1", "h2", "nat", "nat"]
    assert [each.lost for each in found[:2]] == [True, True]
    said = f"which may have been {address(one)} > {address(server)} or {address(two)}"
    assert len(doubts) == 2
    assert doubts[0].startswith(f"nat sent {address(second)} > {address(server)}, {said}")


@VERSIONS
def test_the_nats_table_tells_them_apart(version: int) -> None:
    table = listed(version, 0, n.FIRST), listed(version, 1, n.SECOND)
    found, doubts = over_nat(version, *together(version), table=table)
    assert [told(each)[:4] for each in found] == [
        ("h1", "server", 10, 23), ("h2", "server", 11, 21),
    ]  # fmt: skip
    assert doubts == ()
    assert [flow.a for flow in group_flows(found)] == [
        address(each) for each in parties(version)[:2]
    ]


@VERSIONS
def test_a_table_that_the_frames_contradict_is_doubtful(version: int) -> None:
    one, _, first, _, server = parties(version)
    found, doubts = over_nat(
        version,
        step(10, "h1", "nat", n.datagram(one, server)),
        step(12, "nat", "server", n.datagram(first, server, ttl=63)),
        table=(listed(version, 0, n.SECOND),),
    )
    assert [told(each)[:2] for each in found] == [("h1", "server")]
    assert [each.endswith("by the frames: one of the two is wrong") for each in doubts] == [True]


@VERSIONS
def test_an_error_about_what_was_translated_belongs_to_its_flow(version: int) -> None:
    one, _, first, _, server = parties(version)
    sent, asked = n.datagram(one, server), n.datagram(first, server, ttl=63)
    found, _ = over_nat(
        version,
        step(10, "h1", "nat", sent),
        step(12, "nat", "server", asked),
        step(20, "server", "nat", n.unreachable(server[0], first[0], asked)),
        step(
            22,
            "nat",
            "h1",
            n.unreachable(server[0], one[0], n.datagram(one, server, ttl=63), ttl=63),
        ),
    )
    assert [told(each)[:2] for each in found] == [("h1", "server"), ("server", "h1")]
    (flow,) = group_flows(found)
    assert [each.number for each in flow.errors] == [2]


@VERSIONS
def test_an_error_from_inside_belongs_to_its_flow_as_well(version: int) -> None:
    one, _, first, _, server = parties(version)
    back, came = n.datagram(server, first), n.datagram(server, one, ttl=63)
    found, _ = over_nat(
        version,
        step(10, "h1", "nat", n.datagram(one, server)),
        step(12, "nat", "server", n.datagram(first, server, ttl=63)),
        step(20, "server", "nat", back),
        step(22, "nat", "h1", came),
        step(30, "h1", "nat", n.unreachable(one[0], server[0], came)),
        step(
            32,
            "nat",
            "server",
            n.unreachable(first[0], server[0], n.datagram(server, first, ttl=63), ttl=63),
        ),
    )
    assert [told(each)[:2] for each in found] == [
        ("h1", "server"),
        ("server", "h1"),
        ("h1", "server"),
    ]
    (flow,) = group_flows(found)
    assert [each.number for each in flow.errors] == [3]


@VERSIONS
def test_what_is_lost_before_it_comes_to_the_nat_was_for_who_is_behind_it(version: int) -> None:
    one, _, first, _, server = parties(version)
    outside = n.framed(n.datagram(server, first))
    found, _ = over_nat(
        version,
        step(10, "h1", "nat", n.datagram(one, server)),
        step(12, "nat", "server", n.datagram(first, server, ttl=63)),
        [seen(20, "server/nat", OUT, outside)],
    )
    assert told(found[1]) == ("server", "h1", 20, None, "")
    (flow,) = group_flows(found)
    assert [each.number for each in flow.crossings] == [1, 2]


@VERSIONS
def test_an_unsolicited_packet_has_come_to_the_nat_and_no_further(version: int) -> None:
    one, _, first, _, server = parties(version)
    stranger = server[0], 9
    found, doubts = over_nat(
        version,
        step(10, "h1", "nat", n.datagram(one, server)),
        step(12, "nat", "server", n.datagram(first, server, ttl=63)),
        step(20, "server", "nat", n.datagram(stranger, first, b"hello")),
    )
    assert told(found[1]) == ("server", "nat", 20, 21, "")
    assert doubts == ()
    assert [(flow.a, flow.b) for flow in group_flows(found)] == [
        (address(one), address(server)), (address(stranger), address(first)),
    ]  # fmt: skip


@VERSIONS
def test_the_fragments_of_a_datagram_are_translated_together(version: int) -> None:
    one, _, first, _, server = parties(version)
    text = bytes(range(200))
    came = n.fragments(n.datagram(one, server, text), 128, ident=1)
    left = n.fragments(n.datagram(first, server, text, ttl=63), 128, ident=1 if version == 4 else 2)
    back = n.fragments(n.datagram(server, first, text), 128, ident=3)
    home = n.fragments(n.datagram(server, one, text, ttl=63), 128, ident=3 if version == 4 else 4)
    found, _ = over_nat(
        version,
        *(step(10 + at, "h1", "nat", each) for at, each in enumerate(came)),
        *(step(20 + at, "nat", "server", each) for at, each in enumerate(left)),
        *(step(30 + at, "server", "nat", each) for at, each in enumerate(back)),
        *(step(40 + at, "nat", "h1", each) for at, each in enumerate(home)),
    )
    assert [told(each)[:2] for each in found] == [("h1", "server")] * 2 + [("server", "h1")] * 2
    (flow,) = group_flows(found)
    assert (flow.a, flow.b) == (address(one), address(server))
    assert [each.number for each in flow.crossings] == [2, 4]
    assert [each.number for each in flow.parts] == [1, 3]


def cut_by_a_nat() -> list[list[Frame]]:
    """A datagram that came whole and left in two, and its answer."""
    one, _, first, _, server = parties(4)
    text = bytes(range(200))
    left = n.fragments(n.datagram(first, server, text, ttl=63), 128, ident=1)
    return [
        step(10, "h1", "nat", n.datagram(one, server, text, ident=1)),
        *(step(20 + at, "nat", "server", each) for at, each in enumerate(left)),
        step(30, "server", "nat", n.datagram(server, first)),
        step(32, "nat", "h1", n.datagram(server, one, ttl=63)),
    ]


def test_what_a_nat_translates_and_cuts_is_one_way() -> None:
    one, _, first, _, server = parties(4)
    found, doubts = over_nat(4, *cut_by_a_nat())
    assert [told(each)[:4] for each in found] == [
        ("h1", "server", 10, 22), ("server", "h1", 30, 33),
    ]  # fmt: skip
    assert doubts == ()
    assert [len(each.hops) for each in found] == [3, 2]
    cut = [
        (each.field, each.before, each.after)
        for before, after in found[0].forwarded
        for each in changes(before.packet, after.packet)
        if each.field in ("source", "fragment")
    ]
    assert cut == [
        ("fragment", "0-207", "0-127"), ("source", one[0], first[0]),
        ("fragment", "0-207", "128-207"), ("source", one[0], first[0]),
    ]  # fmt: skip
    (flow,) = group_flows(found)
    assert (flow.a, flow.b) == (address(one), address(server))
    assert not flow.parts


def test_of_what_a_nat_cut_each_fragment_must_arrive() -> None:
    frames = cut_by_a_nat()
    found, _ = over_nat(4, *frames[:2])
    assert [each.lost for each in found] == [True]
    lost, _ = over_nat(4, *frames[:2], frames[2][:1])
    assert [each.lost for each in lost] == [True]


def test_a_fragment_of_another_server_is_not_what_the_nat_translated() -> None:
    frames = cut_by_a_nat()
    elsewhere = ("198.51.100.77", n.PORT)
    other = n.datagram((n.OUTSIDE[4], n.FIRST), elsewhere, bytes(range(200)), ttl=63)
    found, _ = over_nat(
        4,
        frames[0],
        *(
            step(20 + at, "nat", "server", each)
            for at, each in enumerate(n.fragments(other, 128, ident=1))
        ),
    )
    assert [each.sender for each in found] == ["h1", "nat", "nat"]


def test_what_a_nat_joins_and_cuts_elsewhere_is_the_way_of_each_fragment_that_came() -> None:
    one, _, first, _, server = parties(4)
    text = bytes(range(200))
    came = n.fragments(n.datagram(one, server, text), 160, ident=1)
    left = n.fragments(n.datagram(first, server, text, ttl=63), 128, ident=1)
    frames = [
        *(step(10 + at, "h1", "nat", each) for at, each in enumerate(came)),
        *(step(20 + at, "nat", "server", each) for at, each in enumerate(left)),
    ]
    found, doubts = over_nat(4, *frames)
    assert [told(each)[:4] for each in found] == [
        ("h1", "server", 10, 22), ("h1", "server", 11, 22),
    ]  # fmt: skip
    assert doubts == ()
    assert [len(each.hops) for each in found] == [3, 2]
    fields = [
        [each.field for each in changes(before.packet, after.packet) if "fragment" in each.field]
        for crossing in found
        for before, after in crossing.forwarded
    ]
    assert fields == [["fragment"], ["joined_fragment"], ["joined_fragment"]]
    (flow,) = group_flows(found)
    assert (flow.a, flow.b) == (address(one), address(server))
    assert ([c.number for c in flow.crossings], [c.number for c in flow.parts]) == ([2], [1])
    # The second one that left has bytes of both that came.
    half, _ = over_nat(4, *frames[:3])
    assert [each.lost for each in half] == [True, True]


def test_what_a_nat_only_routes_is_as_it_was() -> None:
    one, two, *_ = parties(4)
    found, _ = over_nat(
        4,
        step(10, "h1", "nat", n.datagram(one, two)),
        step(12, "nat", "h2", n.datagram(one, two, ttl=63)),
    )
    assert [told(each)[:2] for each in found] == [("h1", "h2")]
    assert found[0].ends is None
