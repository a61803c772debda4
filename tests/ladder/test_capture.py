from __future__ import annotations

import struct
from ipaddress import IPv4Address

import frame_bytes as fb
from scenes import recorded_result
from transcript import converse

from lab.analysis.flows.crossings import crossings_of_capture
from lab.analysis.flows.flow import group_flows
from lab.analysis.story import Phase, phases
from lab.ladder.capture import capture_ladder, others_ladder
from lab.ladder.model import FrameRow, Ladder, PhaseRow
from lab.records import Direction, Frame, LinkType

TALK = """
0.001 client > server SYN seq=100 win=1000
0.002 server > client SYN,ACK seq=900 ack=101 win=1000
0.003 client > server ACK seq=101 ack=901
0.004 server > client FIN,ACK seq=901 ack=101
"""


def frames(ladder: Ladder) -> list[FrameRow]:
    return [row for row in ladder.rows if isinstance(row, FrameRow)]


def test_the_lanes_are_the_flows_endpoints_and_the_client_is_the_first() -> None:
    talk = converse(TALK)
    ladder = capture_ladder(talk.flow, talk, phases([], [talk]))
    assert [lane.name for lane in ladder.lanes] == [str(talk.flow.a), str(talk.flow.b)]
    assert [(row.source, row.target, row.is_forward) for row in frames(ladder)] == [
        (0, 1, True),
        (1, 0, False),
        (0, 1, True),
        (1, 0, False),
    ]
    assert [row.phase for row in ladder.rows if isinstance(row, PhaseRow)] == [
        Phase.OPENING,
        Phase.CLOSING,
    ]
    assert {row.name for row in frames(ladder)} == {""}


def test_an_icmp_error_goes_to_the_side_whose_packet_it_quotes() -> None:
    here, there = fb.V4_A, fb.V4_B
    request = fb.ipv4(fb.udp(b"ask"), 17)
    answer = fb.ipv4(
        struct.pack("!HH", 5001, 5000) + fb.udp(b"told", checksum=0)[4:],
        17,
        source=there,
        destination=here,
    )
    refused = fb.ipv4(fb.icmp(3, 3, bytes(4), request[:28]), 1, source=there, destination=here)
    refuses = fb.ipv4(fb.icmp(3, 3, bytes(4), answer[:28]), 1)
    seen = crossings_of_capture(
        Frame(n, "if0", Direction.UNKNOWN, fb.ethernet(data), len(data) + 14)
        for n, data in enumerate((request, answer, refused, refuses))
    )
    (flow,) = group_flows(seen)
    rows = frames(capture_ladder(flow, None, phases(seen, [])))
    assert [row.is_forward for row in rows] == [True, False, False, True]
    assert [row.event.number for row in rows] == [1, 2, 3, 4]


def test_an_error_sent_by_a_router_names_it() -> None:
    request = fb.ipv4(fb.udp(b"ask"), 17)
    error = fb.icmp(3, 1, bytes(4), request[:28])
    router = IPv4Address("192.0.2.9")
    by_router = fb.ipv4(error, 1, source=router, destination=fb.V4_A)
    by_host = fb.ipv4(error, 1, source=fb.V4_B, destination=fb.V4_A)
    seen = crossings_of_capture(
        Frame(n, "if0", Direction.UNKNOWN, data, len(data), LinkType.RAW)
        for n, data in enumerate((request, by_router, by_host))
    )
    (flow,) = group_flows(seen)
    _, routers, hosts = frames(capture_ladder(flow, None, phases(seen, [])))
    assert routers.details == ("quotes UDP 5000 > 5001 len=3", "sent by 192.0.2.9")
    assert hosts.details == ("quotes UDP 5000 > 5001 len=3",)


def test_fragments_and_cut_headers_go_from_their_sender() -> None:
    whole = fb.ipv4(fb.udp(b"whole"), 17)
    fragment = fb.ipv4(fb.udp(bytes(40))[:16], 17, flags=1, source=fb.V4_B, destination=fb.V4_A)
    fragment = fragment[:20] + whole[22:24] + whole[20:22] + fragment[24:]
    cut = fb.ipv4(
        fb.udp(b"cut", source=fb.V4_B, destination=fb.V4_A), 17, source=fb.V4_B, destination=fb.V4_A
    )
    cut = cut[:20] + whole[22:24] + whole[20:22]
    seen = crossings_of_capture(
        Frame(n, "if0", Direction.UNKNOWN, data, max(len(data), 31), LinkType.RAW)
        for n, data in enumerate((whole, fragment, cut, whole[:26]))
    )
    (flow,) = group_flows(seen)
    rows = frames(capture_ladder(flow, None, phases(seen, [])))
    assert [(row.is_forward, row.text) for row in rows] == [
        (True, "UDP 5000 > 5001 len=5"),
        (False, "fragment 0-15 of 0x0001, more"),
        (False, "UDP 5001 > 5000, cut off in the header"),
        (True, "UDP 5000 > 5001, cut off in the header"),
    ]


def test_what_carries_a_frame_is_drawn_where_it_changes() -> None:
    one, two = (fb.ethernet(fb.ipv4(fb.udp(b"x"), 17), tags=((0x8100, n),)) for n in (10, 20))

    def details(*data: bytes) -> list[tuple[str, ...]]:
        seen = crossings_of_capture(
            Frame(n, "if0", Direction.UNKNOWN, each, len(each)) for n, each in enumerate(data)
        )
        (flow,) = group_flows(seen)
        return [row.details for row in frames(capture_ladder(flow, None, phases(seen, [])))]

    assert details(one, two) == [("in VLAN 10",), ("in VLAN 20",)]
    assert details(one, one) == [(), ()]


def test_frames_of_no_flow_go_all_one_way() -> None:
    crossings = recorded_result("tcp4").timelines[0].crossings[:2]
    ladder = others_ladder(crossings, phases(crossings, ()))
    frames = [row for row in ladder.rows if isinstance(row, FrameRow)]
    assert [(row.source, row.target) for row in frames] == [(0, 1)] * 2
    assert [row.text for row in frames] == [
        "ARP who has 198.51.100.2?",
        f"ARP 198.51.100.2 is at {crossings[1].packet.arp.sender_hardware}",
    ]
