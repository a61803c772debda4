from __future__ import annotations

import struct

import frame_bytes as fb
import pytest
from dissected import DATA, malformed, names, packet

from lab.analysis.packets.dissect import Reassembler
from lab.analysis.packets.packet import (
    Arp,
    Cooked,
    Encapsulation,
    Ethernet,
    Loopback,
    Malformed,
    Payload,
    TcpOption,
    Vlan,
)
from lab.records import LinkType

# Link layers


def test_ethernet_header_is_read() -> None:
    assert packet(fb.ethernet(b"x", 0x88B5)).layers == (
        Ethernet(0, "02:00:00:00:00:02", "02:00:00:00:00:01", 0x88B5),
        Payload(14, b"x"),
    )


def test_ethernet_length_field_bounds_the_payload() -> None:
    given = packet(fb.ethernet(b"\x42\x42\x03" + bytes(43), 3))
    assert given.layers[0].type == 3
    assert given.layers[1:] == (Encapsulation(14, "LLC", 0x42),)


def test_what_follows_a_length_and_llc_is_read() -> None:
    snap = b"\xaa\xaa\3\0\0\0\x08\0" + fb.ipv4(fb.tcp(DATA))
    given = packet(fb.ethernet(snap + b"padding", len(snap)))
    assert given.layers[0].type == len(snap)
    assert names(given) == ["Ethernet", "Encapsulation", "IPv4", "Tcp", "Payload"]
    assert given.payload == DATA


def test_a_length_past_the_link_is_said_and_ipx_without_llc_is_payload() -> None:
    given = packet(fb.ethernet(b"\x42\x42\x03", 40))
    assert malformed(given).reason == "length is 40, past the link's 3 bytes"
    assert packet(fb.ethernet(b"\xff\xffIPX", 5)).payload == b"\xff\xffIPX"


@pytest.mark.parametrize("length", [1501, 1535])
def test_ethernet_numbers_between_the_longest_length_and_the_first_type_are_no_types(
    length: int,
) -> None:
    given = packet(fb.ethernet(b"abc", length))
    assert given.layers[0].type == length
    assert given.payload == b"abc"


def test_vlan_tag_is_read() -> None:
    given = packet(fb.ethernet(fb.ipv4(fb.tcp(DATA)), tags=((0x8100, 0xB00A),)))
    assert given.layers[1] == Vlan(14, 5, True, 10, 0x0800)
    assert given.payload == DATA


@pytest.mark.parametrize("outer", [0x88A8, 0x8100, 0x9100])
def test_stacked_vlan_tags_are_read_outermost_first(outer: int) -> None:
    given = packet(fb.ethernet(fb.ipv6(fb.tcp6(DATA)), fb.IPV6, ((outer, 7), (0x8100, 8))))
    tags = [layer.identifier for layer in given.layers if isinstance(layer, Vlan)]
    assert tags == [7, 8]
    assert names(given)[3:] == ["IPv6", "Tcp", "Payload"]


def test_cooked_v1_header_is_read() -> None:
    given = packet(fb.cooked_v1(fb.ipv4(fb.tcp(DATA))), LinkType.LINUX_SLL)
    assert given.layers[0] == Cooked(0, 1, 0, "02:00:00:00:00:01", 0x0800, None)
    assert given.payload == DATA


def test_cooked_v2_header_is_read() -> None:
    given = packet(fb.cooked_v2(fb.ipv6(fb.tcp6(DATA)), fb.IPV6), LinkType.LINUX_SLL2)
    assert given.layers[0] == Cooked(0, 2, 0, "02:00:00:00:00:01", 0x86DD, 3)
    assert given.payload == DATA


def test_cooked_address_is_as_long_as_it_says() -> None:
    header = struct.pack("!HHH8sH", 4, 772, 0, bytes(8), 0x0800)
    assert packet(header + fb.ipv4(DATA, 99), LinkType.LINUX_SLL).layers[0].address == ""


@pytest.mark.parametrize(("hardware", "protocol"), [(824, 0x0800), (1, 0x0004)])
def test_cooked_protocols_that_are_no_ethernet_types_are_payload(
    hardware: int, protocol: int
) -> None:
    header = struct.pack("!HHH8sH", 0, hardware, 6, bytes(8), protocol)
    assert names(packet(header + fb.ipv4(fb.tcp()), LinkType.LINUX_SLL)) == [
        "Cooked",
        "Payload",
    ]


@pytest.mark.parametrize("link", [LinkType.NULL, LinkType.LOOP])
@pytest.mark.parametrize("order", ["<I", ">I"])
@pytest.mark.parametrize("family", [2, 10, 24, 28, 30])
def test_loopback_family_is_read_in_either_byte_order(
    link: LinkType, order: str, family: int
) -> None:
    inner = fb.ipv4(fb.tcp(DATA)) if family == 2 else fb.ipv6(fb.tcp6(DATA))
    given = packet(struct.pack(order, family) + inner, link)
    assert given.layers[0] == Loopback(0, family)
    assert given.payload == DATA


def test_loopback_of_another_family_is_payload() -> None:
    assert packet(struct.pack("<I", 7) + b"osi", LinkType.NULL).layers == (
        Loopback(0, 7),
        Payload(4, b"osi"),
    )


@pytest.mark.parametrize("link", [LinkType.RAW, LinkType.IPV4])
def test_raw_ipv4_has_no_link_layer(link: LinkType) -> None:
    assert names(packet(fb.ipv4(fb.tcp(DATA)), link)) == ["IPv4", "Tcp", "Payload"]


@pytest.mark.parametrize("link", [LinkType.RAW, LinkType.IPV6])
def test_raw_ipv6_has_no_link_layer(link: LinkType) -> None:
    assert names(packet(fb.ipv6(fb.tcp6(DATA)), link)) == ["IPv6", "Tcp", "Payload"]


def test_raw_packet_of_another_version_is_malformed() -> None:
    assert packet(b"\x50" + bytes(40), LinkType.RAW).layers == (
        Malformed(0, "IP", "version is 5, neither 4 nor 6"),
    )


def test_arp_request_is_read() -> None:
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
    body += fb.MAC_A + fb.V4_A.packed + bytes(6) + fb.V4_B.packed
    assert packet(fb.ethernet(body + bytes(18), fb.ARP)).arp == Arp(
        14, 1, "02:00:00:00:00:01", fb.V4_A, "00:00:00:00:00:00", fb.V4_B
    )


def test_arp_of_another_hardware_type_keeps_its_addresses() -> None:
    body = struct.pack("!HHBBH", 6, 0x0800, 6, 4, 2)
    body += fb.MAC_A + fb.V4_A.packed + fb.MAC_B + fb.V4_B.packed
    given = packet(fb.ethernet(body, fb.ARP)).arp
    assert given == Arp(14, 2, "02:00:00:00:00:01", fb.V4_A, "02:00:00:00:00:02", fb.V4_B)


def test_arp_with_other_address_lengths_has_no_addresses() -> None:
    body = struct.pack("!HHBBH", 1, 0x86DD, 6, 16, 1) + bytes(2 * (6 + 16))
    assert packet(fb.ethernet(body, fb.ARP)).arp == Arp(14, 1, None, None, None, None)


def test_arp_shorter_than_its_address_lengths_is_malformed() -> None:
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + bytes(10)
    assert malformed(packet(fb.ethernet(body, fb.ARP))) == Malformed(
        14, "ARP", "needs 28 bytes, has 18"
    )


# A cut capture


def test_cut_payload_keeps_its_length_and_is_not_malformed() -> None:
    whole = fb.ethernet(fb.ipv4(fb.tcp(DATA)))
    given = packet(whole[:-5], wire_bytes=len(whole))
    assert (given.tcp.payload_bytes, given.payload) == (12, DATA[:-5])
    assert given.tcp.checksum_ok is None
    assert given.malformed is None


def test_cut_options_leave_the_segment_with_those_captured() -> None:
    whole = fb.ethernet(fb.ipv4(fb.tcp(DATA, options=b"\2\4\5\xb4\x08\x0a" + bytes(10))))
    given = packet(whole[: 34 + 27], wire_bytes=len(whole))
    assert names(given) == ["Ethernet", "IPv4", "Tcp", "Malformed"]
    assert given.tcp.options == (TcpOption(2, "mss", 1460),)
    assert given.tcp.payload_bytes == 12
    assert malformed(given).truncated is True


def test_cut_header_is_truncated_and_a_short_one_is_not() -> None:
    whole = fb.ethernet(fb.ipv4(fb.udp(DATA), 17))
    assert malformed(packet(whole[:38], wire_bytes=len(whole))).truncated is True
    assert malformed(packet(whole[:38])).truncated is False


def test_length_past_the_link_is_no_fault_of_a_cut() -> None:
    whole = fb.ethernet(fb.ipv4(fb.tcp(DATA), total=100))
    given = packet(whole[:50], wire_bytes=len(whole))
    assert malformed(given).reason == "total length is 100, past the link's 52 bytes"
    assert malformed(given).truncated is False


def test_wire_length_below_the_captured_length_is_not_believed() -> None:
    assert packet(fb.ethernet(fb.ipv4(fb.tcp(DATA))), wire_bytes=10).payload == DATA


def test_empty_frame_is_malformed_for_every_link_type() -> None:
    for link in LinkType:
        assert names(packet(b"", link)) == ["Malformed"]


def test_reassembler_leaves_an_unfragmented_packet_alone() -> None:
    given = packet(fb.ethernet(fb.ipv4(fb.tcp(DATA))))
    assert Reassembler().add(given) is given
