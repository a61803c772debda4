from __future__ import annotations

import struct

import frame_bytes as fb
import link_bytes as tb
import pytest

from lab.analysis.encapsulation import carried_in, carriers_differ, flow_carriers, not_entered
from lab.analysis.flow_remarks import flow_remarks
from lab.analysis.flows.crossings import crossings_of_capture
from lab.analysis.flows.flow import Flow, group_flows
from lab.analysis.packets.packet import Packet
from lab.analysis.story import describe_packet
from lab.records import Direction, Frame


def packets(*data: bytes) -> list[Packet]:
    return [each.packet for each in crossings_of_capture(frames(*data))]


def frames(*data: bytes) -> list[Frame]:
    return [Frame(n, "if0", Direction.UNKNOWN, each, len(each)) for n, each in enumerate(data)]


def flow(*data: bytes) -> Flow:
    (found,) = group_flows(crossings_of_capture(frames(*data)))
    return found


OUTSIDE = "from 192.0.2.1 to 192.0.2.2"
BACK = fb.ipv4(
    fb.tcp(sport=80, dport=40000, source=fb.V4_B, destination=fb.V4_A),
    source=fb.V4_B,
    destination=fb.V4_A,
)


def tagged(payload: bytes, *vlans: int) -> bytes:
    return fb.ethernet(payload, tags=tuple((0x8100, each) for each in vlans))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (fb.ethernet(tb.IP4), ""),
        (tagged(tb.IP4, 10, 20), "in VLAN 10, in VLAN 20"),
        (tb.TUNNELS["gre"], f"through GRE {OUTSIDE}"),
        (
            tb.TUNNELS["vxlan in gre"],
            f"through GRE {OUTSIDE}, through VXLAN 7 {OUTSIDE}",
        ),
        (tb.TUNNELS["vxlan with a vlan"], f"through VXLAN 7 {OUTSIDE}, in VLAN 10"),
        (tb.TUNNELS["mpls"], "through MPLS 16 17"),
        (tb.TUNNELS["pppoe"], "through PPPoE session 5"),
    ],
)
def test_what_carries_a_packet_is_named_from_the_outside_in(data: bytes, text: str) -> None:
    (packet,) = packets(data)
    assert carried_in(packet) == text


def test_what_carries_all_of_a_flow_is_said_once_for_each_side_it_differs_for() -> None:
    assert list(flow_carriers(flow(fb.ethernet(tb.IP4), fb.ethernet(BACK)))) == []
    assert list(flow_carriers(flow(tagged(tb.IP4, 10), tagged(BACK, 10)))) == ["in VLAN 10"]
    assert list(flow_carriers(flow(tagged(tb.IP4, 10)))) == ["in VLAN 10"]
    assert list(flow_carriers(flow(tagged(tb.IP4, 10), tagged(BACK, 20)))) == [
        "to the right in VLAN 10",
        "to the left in VLAN 20",
    ]
    assert list(flow_carriers(flow(fb.ethernet(tb.IP4), tagged(BACK, 20)))) == [
        "to the left in VLAN 20"
    ]


def test_what_changes_within_a_side_is_said_of_each_frame_instead() -> None:
    changing = flow(tagged(tb.IP4, 10), tagged(tb.IP4, 20))
    assert carriers_differ(changing)
    assert list(flow_carriers(changing)) == []
    assert not carriers_differ(flow(tagged(tb.IP4, 10), tagged(BACK, 20)))


@pytest.mark.parametrize(
    ("port", "data", "text"),
    [
        (51820, b"\4\0\0\0" + bytes(12), "WireGuard, encrypted"),
        (51820, b"\4\0\0\1", ""),
        (51820, b"\5\0\0\0", ""),
        (51820, b"", ""),
        (1701, b"\xc8\2", ""),  # a control message
        (1701, b"\0\3\0\0" + bytes(8), "L2TP"),
        (2152, b"\x30\xff\0\4" + bytes(8), "GTP-U"),
        (2152, b"\x32\1\0\4" + bytes(8), ""),  # an echo request
        (4500, b"\0\0\0\1" + bytes(8), "ESP, encrypted"),
        (4500, bytes(8), ""),
        (4500, b"\xff", ""),
        (53, b"\4\0\0\0" + bytes(12), ""),
    ],
)
def test_a_tunnel_over_udp_that_is_not_entered_is_named(port: int, data: bytes, text: str) -> None:
    outside = tb.in_udp(data, port)
    (packet,) = packets(outside)
    assert not_entered(packet) == text
    expected = [f"carries {text}: not entered"] if text else []
    assert list(flow_remarks(flow(outside), None)) == expected


@pytest.mark.parametrize(
    ("kind", "name"),
    [(0x8847, "MPLS"), (0x88E5, "MACsec"), (0x8903, "FabricPath"), (0x4305, "batman-adv")],
)
def test_a_tunnel_on_a_link_that_is_not_entered_says_from_where_to_where(
    kind: int, name: str
) -> None:
    labels = struct.pack("!I", 16 << 12 | 0x100) + bytes(20)
    ends = "from 02:00:00:00:00:01 to 02:00:00:00:00:02"
    for tags in ((), ((0x8100, 7),)):
        (packet,) = packets(fb.ethernet(labels, kind, tags))
        assert not_entered(packet) == name
        assert describe_packet(packet) == f"{name}, {ends}: not entered"


def test_a_tunnel_over_ip_that_is_not_entered_says_from_where_to_where() -> None:
    esp = struct.pack("!II", 1, 1) + bytes(40)
    v4, l2tp, v6, gre = packets(
        tb.in_ip(esp, 50), tb.in_ip(esp, 115), tb.in_ip6(esp, 50), tb.gre(b"hello", 0x1234)
    )
    assert describe_packet(gre) == f"GRE, {OUTSIDE}: not entered"
    assert describe_packet(v4) == f"ESP, encrypted, {OUTSIDE}: not entered"
    assert describe_packet(l2tp) == f"L2TP, {OUTSIDE}: not entered"
    ends = "from 2001:db8::1 to 2001:db8::2"
    assert describe_packet(v6) == f"ESP, encrypted, {ends}: not entered"
