from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import frame_bytes as fb
import pytest

from lab.analysis.packets.dissect import Reassembler, dissect
from lab.analysis.packets.packet import (
    Arp,
    Cooked,
    Ethernet,
    Extension,
    Fragment,
    Icmp,
    IPv4,
    IPv6,
    Loopback,
    Malformed,
    Packet,
    Payload,
    Tcp,
    TcpFlags,
    TcpOption,
    TcpStart,
    Udp,
    Vlan,
)
from lab.records import Direction, Frame, LinkType

DATA = b"hello world!"
ROUTE_TO_NEXT = bytes.fromhex("0602000100000000")


def packet(
    data: bytes, link: LinkType = LinkType.ETHERNET, wire_bytes: int | None = None
) -> Packet:
    size = len(data) if wire_bytes is None else wire_bytes
    return dissect(Frame(1, "client/eth0", Direction.OUT, data, size, link))


def names(given: Packet) -> list[str]:
    return [type(layer).__name__ for layer in given.layers]


def over_ipv4(payload: bytes, **fields: Any) -> Packet:
    return packet(fb.ethernet(fb.ipv4(payload, **fields)))


def over_ipv6(payload: bytes, next_header: int = 6, **fields: Any) -> Packet:
    return packet(fb.ethernet(fb.ipv6(payload, next_header, **fields), fb.IPV6))


def malformed(given: Packet) -> Malformed:
    assert given.malformed is not None, given.layers
    return given.malformed


# Link layers


def test_ethernet_header_is_read() -> None:
    assert packet(fb.ethernet(b"x", 0x88B5)).layers == (
        Ethernet(0, "02:00:00:00:00:02", "02:00:00:00:00:01", 0x88B5),
        Payload(14, b"x"),
    )


def test_ethernet_length_field_bounds_the_payload() -> None:
    given = packet(fb.ethernet(b"\x42\x42\x03" + bytes(43), 3))
    assert given.layers[0].type == 3
    assert given.layers[1:] == (Payload(14, b"\x42\x42\x03"),)


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
        14, "ARP", "needs 28 bytes of which 18 are there"
    )


# IPv4


def test_every_ipv4_field_is_read() -> None:
    data = fb.ipv4(b"", 99, tos=0xBA, identification=0xABCD)
    ip = packet(data, LinkType.RAW).ip
    assert ip == IPv4(
        offset=0,
        source=fb.V4_A,
        destination=fb.V4_B,
        header_bytes=20,
        dscp=46,
        ecn=2,
        total_bytes=20,
        identification=0xABCD,
        dont_fragment=True,
        more_fragments=False,
        fragment_offset=0,
        ttl=64,
        protocol=99,
        checksum=struct.unpack("!H", data[10:12])[0],
        checksum_ok=True,
        options=(),
    )


def test_ipv4_options_are_listed_without_padding() -> None:
    options = b"\x94\x04\x00\x00" + b"\x01" + b"\x44\x06\x05\x00\xaa\xbb" + b"\x00"
    given = over_ipv4(fb.tcp(DATA), options=options)
    assert given.ip.options == ((148, b"\0\0"), (1, b""), (68, b"\x05\0\xaa\xbb"))
    assert given.payload == DATA


def test_wrong_ipv4_checksum_is_told() -> None:
    data = bytearray(fb.ethernet(fb.ipv4(fb.tcp(DATA))))
    data[22] ^= 1
    assert packet(bytes(data)).ip.checksum_ok is False


def test_link_padding_is_not_payload() -> None:
    given = packet(fb.ethernet(fb.ipv4(fb.tcp())) + bytes(6))
    assert names(given) == ["Ethernet", "IPv4", "Tcp"]
    assert given.tcp.payload_bytes == 0
    assert given.tcp.checksum_ok is True


@pytest.mark.parametrize("size", [0, 4, 16])
def test_ipv4_header_length_below_20_is_malformed(size: int) -> None:
    given = over_ipv4(fb.tcp(DATA), header=size)
    assert given.layers[1:] == (Malformed(14, "IPv4", f"header length is {size} bytes, below 20"),)


def test_ipv4_header_past_the_frame_ends_dissection_after_it() -> None:
    given = packet(fb.ethernet(fb.ipv4(b"1234", header=60)))
    assert names(given) == ["Ethernet", "IPv4", "Malformed"]
    assert malformed(given).reason == "needs 60 bytes of which 24 are there"
    assert malformed(given).truncated is False
    assert given.ip.checksum_ok is None


def test_ipv4_total_length_below_the_header_ends_dissection_after_it() -> None:
    given = over_ipv4(fb.tcp(DATA), total=19)
    assert names(given) == ["Ethernet", "IPv4", "Malformed"]
    assert malformed(given).reason == "total length is 19, below the header's 20"


def test_ipv4_total_length_past_the_link_is_told_and_what_is_there_dissected() -> None:
    given = over_ipv4(fb.tcp(DATA), total=100)
    assert names(given) == ["Ethernet", "IPv4", "Malformed", "Tcp", "Payload"]
    assert malformed(given).reason == "total length is 100, past the link's 52 bytes"
    assert (given.tcp.payload_bytes, given.tcp.checksum_ok) == (12, None)


def test_ipv4_total_length_zero_means_the_rest_of_the_frame() -> None:
    given = over_ipv4(fb.tcp(DATA), total=0)
    assert names(given) == ["Ethernet", "IPv4", "Tcp", "Payload"]
    assert (given.tcp.payload_bytes, given.ip.total_bytes) == (12, 0)


@pytest.mark.parametrize(
    ("options", "offset", "reason"),
    [
        (b"\x01\x07\x00\x00", 35, "option 7 has length 0, below 2"),
        (b"\x07\x09\x01\x01", 34, "option 7 has length 9, past the options' end"),
        (b"\x01\x01\x01\x07", 37, "option 7 has no length byte"),
    ],
)
def test_unreadable_ipv4_options_are_told_and_the_segment_dissected(
    options: bytes, offset: int, reason: str
) -> None:
    given = over_ipv4(fb.tcp(DATA), options=options)
    assert names(given) == ["Ethernet", "IPv4", "Malformed", "Tcp", "Payload"]
    assert malformed(given) == Malformed(offset, "IPv4", reason)


@pytest.mark.parametrize(("kind", "version"), [(fb.IPV4, 5), (fb.IPV4, 6), (fb.IPV6, 4)])
def test_ip_version_other_than_the_ethernet_type_is_malformed(kind: int, version: int) -> None:
    given = packet(fb.ethernet(fb.ipv4(fb.tcp(DATA * 4), version=version), kind))
    assert names(given) == ["Ethernet", "Malformed"]


@pytest.mark.parametrize(("pointer", "final"), [(4, IPv4Address("198.51.100.9")), (8, fb.V4_B)])
def test_source_routed_segment_is_summed_with_its_final_destination(
    pointer: int, final: IPv4Address
) -> None:
    option = bytes([131, 7, pointer]) + IPv4Address("198.51.100.9").packed + b"\0"
    given = over_ipv4(fb.tcp(DATA, destination=final), options=option)
    assert given.tcp.checksum_ok is True


def test_ipv4_fragments_are_left_as_they_are() -> None:
    for fields in ({"flags": 1}, {"flags": 0, "offset": 8}, {"flags": 1, "offset": 8}):
        given = over_ipv4(fb.tcp(DATA), **fields)
        assert names(given) == ["Ethernet", "IPv4", "Payload"]
        assert given.ip.fragment_offset == fields.get("offset", 0)
        assert given.ip.more_fragments is (fields["flags"] == 1)


def test_fragment_in_the_middle_must_be_a_multiple_of_8() -> None:
    given = over_ipv4(b"123456789", flags=1)
    assert names(given) == ["Ethernet", "IPv4", "Malformed", "Payload"]
    assert malformed(given).reason.startswith("9 bytes, not a multiple of 8")


def test_fragment_past_the_largest_datagram_is_malformed() -> None:
    given = over_ipv4(bytes(64), flags=0, offset=65512)
    assert malformed(given).reason == "the fragment ends past 65535 bytes"


def test_authentication_header_after_ipv4_is_passed() -> None:
    header = struct.pack("!BBHII", 6, 4, 0, 1, 2) + bytes(12)
    given = over_ipv4(header + fb.tcp(DATA), protocol=51)
    assert given.layers[2] == Extension(34, 51, 6, 24, ())
    assert given.tcp.checksum_ok is True


def test_unknown_protocol_is_payload() -> None:
    assert over_ipv4(DATA, protocol=99).payload == DATA


# IPv6


def test_every_ipv6_field_is_read() -> None:
    data = struct.pack("!IHBB", 6 << 28 | 0xB8 << 20 | 0xABCDE, 5, 99, 7)
    data += fb.V6_A.packed + fb.V6_B.packed + b"12345"
    assert packet(data, LinkType.IPV6).layers == (
        IPv6(0, fb.V6_A, fb.V6_B, 0xB8, 0xABCDE, 5, 99, 7),
        Payload(40, b"12345"),
    )


def test_ipv6_payload_length_past_the_link_is_told_and_what_is_there_dissected() -> None:
    given = over_ipv6(fb.tcp6(DATA), length=100)
    assert names(given) == ["Ethernet", "IPv6", "Malformed", "Tcp", "Payload"]
    assert (given.tcp.payload_bytes, given.tcp.checksum_ok) == (12, None)


def test_bytes_past_the_ipv6_payload_length_are_not_payload() -> None:
    given = packet(fb.ethernet(fb.ipv6(fb.tcp6(DATA)) + b"trailer", fb.IPV6))
    assert given.payload == DATA
    assert given.tcp.checksum_ok is True


def test_jumbogram_is_unsupported_and_says_so() -> None:
    hop_by_hop = bytes.fromhex("0600c20400010000")
    given = over_ipv6(hop_by_hop + fb.tcp6(DATA), 0, length=0)
    assert names(given) == ["Ethernet", "IPv6", "Malformed"]
    assert "jumbograms" in malformed(given).reason


@pytest.mark.parametrize(
    ("number", "header", "options"),
    [
        (0, "06000502000001 00", ((5, b"\0\0"),)),
        (60, "06010104000000000106ffffffff0000", ()),
        (60, "06001e0401020304", ((30, b"\1\2\3\4"),)),
        (43, "0602000000000000" + "20010db8" * 4, ()),
        (51, "06040000" + "00" * 20, ()),
    ],
)
def test_extension_headers_lead_to_the_transport(
    number: int, header: str, options: tuple[tuple[int, bytes], ...]
) -> None:
    raw = bytes.fromhex(header.replace(" ", ""))
    given = over_ipv6(raw + fb.tcp6(DATA), number)
    assert given.layers[2] == Extension(54, number, 6, len(raw), options)
    assert given.tcp.checksum_ok is True
    assert given.payload == DATA


def test_chained_extension_headers_are_each_a_layer() -> None:
    chain = bytes.fromhex("2b00010400000000") + bytes.fromhex("3c00000000000000")
    chain += bytes.fromhex("0600010400000000")
    given = over_ipv6(chain + fb.tcp6(DATA), 0)
    assert [layer.header for layer in given.layers if isinstance(layer, Extension)] == [0, 43, 60]
    assert given.tcp.offset == 54 + 24


def test_mobility_header_is_the_last() -> None:
    given = over_ipv6(bytes.fromhex("3b00000000000000") + b"more", 135)
    assert given.layers[2:] == (Extension(54, 135, 59, 8, ()), Payload(62, b"more"))


def test_no_next_header_has_no_layer_after_it() -> None:
    assert over_ipv6(b"", 59).layers[-1].next_header == 59
    assert names(over_ipv6(fb.tcp6(), 59)) == ["Ethernet", "IPv6", "Payload"]


def test_unreadable_hop_by_hop_option_is_told_and_the_segment_dissected() -> None:
    given = over_ipv6(bytes.fromhex("0600052200000100") + fb.tcp6(DATA), 0)
    assert names(given) == ["Ethernet", "IPv6", "Extension", "Malformed", "Tcp", "Payload"]
    assert malformed(given).offset == 56


def test_extension_header_past_the_packet_ends_dissection() -> None:
    given = over_ipv6(bytes.fromhex("0640050200000100") + fb.tcp6(DATA), 0)
    assert names(given) == ["Ethernet", "IPv6", "Malformed"]
    assert malformed(given).truncated is False


@pytest.mark.parametrize("routing_type", [0, 2, 4])
def test_routed_segment_is_summed_with_its_final_destination(routing_type: int) -> None:
    final = IPv6Address("2001:db8::99")
    header = bytes([6, 2, routing_type, 1, 0, 0, 0, 0]) + final.packed
    segment = fb.tcp(DATA, source=fb.V6_A, destination=final)
    assert over_ipv6(header + segment, 43).tcp.checksum_ok is True


def test_segment_with_an_unknown_routing_type_on_its_way_is_not_summed() -> None:
    header = bytes([6, 2, 3, 1, 0, 0, 0, 0]) + bytes(16)
    assert over_ipv6(header + fb.tcp6(DATA), 43).tcp.checksum_ok is None


def test_segment_with_a_home_address_is_summed_with_it() -> None:
    home = IPv6Address("2001:db8::77")
    header = bytes([6, 2, 1, 2, 0, 0, 0xC9, 16]) + home.packed
    segment = fb.tcp(DATA, source=home, destination=fb.V6_B)
    assert over_ipv6(header + segment, 60).tcp.checksum_ok is True


def test_ipv6_fragments_are_left_as_they_are() -> None:
    given = over_ipv6(fb.fragment_header(1232, True, 0xDEADBEEF) + bytes(16), 44)
    assert given.layers[2:] == (
        Fragment(54, 6, 1232, True, 0xDEADBEEF),
        Payload(62, bytes(16)),
    )


def test_fragment_header_of_a_whole_datagram_is_passed() -> None:
    given = over_ipv6(fb.fragment_header(0, False) + fb.tcp6(DATA), 44)
    assert names(given)[2:] == ["Fragment", "Tcp", "Payload"]
    assert given.tcp.checksum_ok is True
    assert given.reassembled is False


# TCP


def test_every_tcp_field_is_read() -> None:
    segment = struct.pack("!HHIIHHHH", 1, 2, 0xFFFFFFFF, 5, 0x51FF, 77, 0, 9) + DATA
    pseudo = fb.pseudo_header(fb.V4_A, fb.V4_B, 6, len(segment))
    checksum = fb.internet_checksum(pseudo + segment)
    given = over_ipv4(segment[:16] + struct.pack("!H", checksum) + segment[18:])
    assert given.tcp == Tcp(
        offset=34,
        source_port=1,
        destination_port=2,
        seq=0xFFFFFFFF,
        ack=5,
        header_bytes=20,
        flags=TcpFlags(0x1FF),
        window=77,
        checksum=checksum,
        checksum_ok=True,
        urgent_pointer=9,
        options=(),
        payload_bytes=12,
    )
    assert given.layers[-1] == Payload(54, DATA)


def test_reserved_tcp_bits_are_kept() -> None:
    assert over_ipv4(fb.tcp(flags=0xE12)).tcp.flags == 0xE12


@pytest.mark.parametrize("size", [0, 1, 2, 3, 11, 12])
def test_tcp_checksum_is_computed_over_any_length(size: int) -> None:
    for segment, over in ((fb.tcp, over_ipv4), (fb.tcp6, over_ipv6)):
        good = segment(DATA[:size])
        assert over(good).tcp.checksum_ok is True
        bad = bytearray(good)
        bad[4] ^= 0x10
        assert over(bytes(bad)).tcp.checksum_ok is False


def test_syn_options_are_decoded() -> None:
    options = bytes.fromhex("020405b4 0402 080a0000000100000002 01 030307".replace(" ", ""))
    assert over_ipv4(fb.tcp(options=options)).tcp.options == (
        TcpOption(2, "mss", 1460),
        TcpOption(4, "sack_permitted", None),
        TcpOption(8, "timestamps", (1, 2)),
        TcpOption(1, "nop", None),
        TcpOption(3, "window_scale", 7),
    )


def test_sack_blocks_are_a_flat_tuple() -> None:
    options = b"\1\1\5\x12" + struct.pack("!4I", 10, 20, 30, 40)
    assert over_ipv4(fb.tcp(options=options)).tcp.option("sack").value == (10, 20, 30, 40)


@pytest.mark.parametrize(
    ("kind", "name", "data"),
    [
        (14, "alternate_checksum_request", b"\1"),
        (19, "md5_signature", bytes(range(16))),
        (28, "user_timeout", b"\x80\x05"),
        (29, "authentication", b"\1\2" + bytes(12)),
        (29, "authentication", b""),
        (30, "multipath_tcp", bytes(10)),
        (34, "fast_open_cookie", b"cookie12"),
        (34, "fast_open_cookie", b""),
        (69, "encryption_negotiation", b"\1"),
        (253, "experiment_1", b"\xf9\x89"),
        (200, "kind_200", b"odd"),
    ],
)
def test_other_options_keep_their_bytes(kind: int, name: str, data: bytes) -> None:
    raw = bytes([kind, 2 + len(data)]) + data + b"\2\4\5\xb4"
    raw += b"\0" * (-len(raw) % 4)
    tcp = over_ipv4(fb.tcp(DATA, options=raw)).tcp
    assert tcp.options[0] == TcpOption(kind, name, data)
    assert tcp.option("mss").value == 1460


def test_what_follows_the_end_of_options_is_padding() -> None:
    tcp = over_ipv4(fb.tcp(options=b"\0\2\0\0")).tcp
    assert tcp.options == (TcpOption(0, "end", None),)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"\2\0\5\xb4", "option 2 has length 0, below 2"),
        (b"\2\1\5\xb4", "option 2 has length 1, below 2"),
        (b"\2\x0a\5\xb4", "option 2 has length 10, past the options' end"),
        (b"\1\1\1\x08", "option 8 has no length byte"),
        (b"\2\3\5\0", "option 2 (mss) has length 3"),
        (b"\3\4\5\0", "option 3 (window_scale) has length 4"),
        (b"\4\3\5\0", "option 4 (sack_permitted) has length 3"),
        (b"\5\2\1\1", "option 5 (sack) has length 2"),
        (b"\5\6" + bytes(4) + b"\1\1", "option 5 (sack) has length 6"),
        (b"\x08\x08" + bytes(6), "option 8 (timestamps) has length 8"),
    ],
)
def test_unreadable_tcp_option_ends_the_options_and_not_the_segment(
    bad: bytes, reason: str
) -> None:
    given = over_ipv4(fb.tcp(DATA, options=b"\3\3\7\1" + bad))
    assert names(given) == ["Ethernet", "IPv4", "Tcp", "Malformed", "Payload"]
    assert malformed(given).reason == reason
    assert malformed(given).offset == 34 + 24 + (3 if bad.startswith(b"\1") else 0)
    assert given.tcp.option("window_scale").value == 7
    assert {option.name for option in given.tcp.options} == {"window_scale", "nop"}
    assert (given.payload, given.tcp.payload_bytes) == (DATA, 12)


@pytest.mark.parametrize("size", [0, 16])
def test_tcp_data_offset_below_5_words_is_no_segment(size: int) -> None:
    given = over_ipv4(fb.tcp(DATA, data_offset=size))
    assert given.layers[2:] == (Malformed(34, "TCP", f"data offset is {size} bytes, below 20"),)


def test_tcp_data_offset_past_the_segment_is_told_after_the_header() -> None:
    given = over_ipv4(fb.tcp(b"\1\1\1\1", data_offset=60))
    assert names(given) == ["Ethernet", "IPv4", "Tcp", "Malformed"]
    assert malformed(given).reason == "data offset is 60 bytes, past the segment's 24"
    assert given.tcp.payload_bytes == 0


@pytest.mark.parametrize("size", [0, 7, 8, 19])
def test_tcp_header_shorter_than_20_bytes_is_malformed(size: int) -> None:
    given = over_ipv4(fb.tcp()[:size])
    start = (TcpStart(34, 40000, 80, 1000),) if size >= 8 else ()
    assert given.layers[2:] == (
        *start,
        Malformed(34, "TCP", f"needs 20 bytes of which {size} are there"),
    )


# UDP


def test_udp_datagram_is_read() -> None:
    given = over_ipv4(fb.udp(DATA), protocol=17)
    checksum = struct.unpack("!H", fb.udp(DATA)[6:8])[0]
    assert given.udp == Udp(34, 5000, 5001, 20, checksum, True, 12)
    assert given.layers[-1] == Payload(42, DATA)


def test_udp_over_ipv4_may_have_no_checksum() -> None:
    assert over_ipv4(fb.udp(DATA, checksum=0), protocol=17).udp.checksum_ok is None


def test_udp_over_ipv6_must_have_a_checksum() -> None:
    datagram = fb.udp(DATA, source=fb.V6_A, destination=fb.V6_B)
    assert over_ipv6(datagram, 17).udp.checksum_ok is True
    assert over_ipv6(fb.udp(DATA, checksum=0), 17).udp.checksum_ok is False


def test_wrong_udp_checksum_is_told() -> None:
    assert over_ipv4(fb.udp(DATA, checksum=1), protocol=17).udp.checksum_ok is False


@pytest.mark.parametrize("length", [0, 7])
def test_udp_length_below_its_header_is_malformed(length: int) -> None:
    given = over_ipv4(fb.udp(DATA, length=length), protocol=17)
    assert given.layers[2:] == (Malformed(34, "UDP", f"length is {length}, below 8"),)


def test_udp_length_past_the_packet_is_told_and_what_is_there_kept() -> None:
    given = over_ipv4(fb.udp(DATA, length=99), protocol=17)
    assert names(given)[2:] == ["Udp", "Malformed", "Payload"]
    assert (given.udp.length, given.udp.payload_bytes) == (99, 12)
    assert given.udp.checksum_ok is None


def test_bytes_past_the_udp_length_are_not_payload() -> None:
    given = over_ipv4(fb.udp(DATA) + b"more", protocol=17)
    assert given.payload == DATA
    assert given.udp.checksum_ok is True


# ICMP


def test_echo_request_is_read() -> None:
    given = over_ipv4(fb.icmp(8, 0, b"\x12\x34\0\5", b"ping"), protocol=1)
    icmp = given.icmp
    assert (icmp.version, icmp.type, icmp.code, icmp.checksum_ok) == (4, 8, 0, True)
    assert (icmp.identifier, icmp.sequence) == (0x1234, 5)
    assert (icmp.mtu, icmp.target, icmp.link_layer, icmp.quoted) == (None, None, None, ())
    assert given.layers[-1] == Payload(42, b"ping")


def test_wrong_icmp_checksum_is_told() -> None:
    message = bytearray(fb.icmp(8, 0, b"\x12\x34\0\5", b"ping"))
    message[-1] ^= 1
    assert over_ipv4(bytes(message), protocol=1).icmp.checksum_ok is False


def test_port_unreachable_quotes_the_datagram() -> None:
    quoted = fb.ipv4(fb.udp(DATA), 17)
    icmp = over_ipv4(fb.icmp(3, 3, bytes(4), quoted), protocol=1).icmp
    assert [type(layer) for layer in icmp.quoted] == [IPv4, Udp, Payload]
    assert icmp.quoted[0].offset == 42
    assert icmp.quoted[1].destination_port == 5001
    assert icmp.quoted[0].checksum_ok is icmp.quoted[1].checksum_ok is None


def test_quoted_segment_is_not_the_packets_own() -> None:
    given = over_ipv4(fb.icmp(3, 1, bytes(4), fb.ipv4(fb.tcp(DATA))), protocol=1)
    assert given.tcp is None
    assert given.payload == b""
    assert names(given) == ["Ethernet", "IPv4", "Icmp"]


def test_shortest_quote_still_tells_the_ports() -> None:
    quoted = fb.ipv4(fb.tcp(DATA))[:28]
    icmp = over_ipv4(fb.icmp(11, 0, bytes(4), quoted), protocol=1).icmp
    assert icmp.quoted[1] == TcpStart(62, 40000, 80, 1000)
    assert icmp.quoted[2].truncated is True


def test_quoted_first_fragment_tells_the_ports() -> None:
    quoted = fb.ipv4(fb.udp(DATA)[:16], 17, flags=1)
    icmp = over_ipv4(fb.icmp(11, 1, bytes(4), quoted), protocol=1).icmp
    assert icmp.quoted[1].source_port == 5000


def test_fragmentation_needed_tells_the_mtu() -> None:
    given = over_ipv4(fb.icmp(3, 4, struct.pack("!HH", 0, 1400), fb.ipv4(fb.tcp())), protocol=1)
    assert given.icmp.mtu == 1400
    other = over_ipv4(fb.icmp(3, 1, struct.pack("!HH", 0, 1400), fb.ipv4(fb.tcp())), protocol=1)
    assert other.icmp.mtu is None


def test_redirect_tells_the_gateway() -> None:
    gateway = IPv4Address("192.0.2.254")
    given = over_ipv4(fb.icmp(5, 1, gateway.packed, fb.ipv4(fb.tcp())), protocol=1)
    assert given.icmp.target == gateway
    assert isinstance(given.icmp.quoted[1], Tcp)


def test_error_about_an_error_is_quoted_once() -> None:
    inner = fb.ipv4(fb.icmp(3, 1, bytes(4), fb.ipv4(fb.tcp(DATA))), 1)
    icmp = over_ipv4(fb.icmp(11, 0, bytes(4), inner), protocol=1).icmp
    assert [type(layer) for layer in icmp.quoted] == [IPv4, Icmp, Payload]
    assert icmp.quoted[1].quoted == ()


@pytest.mark.parametrize(("kind", "needs"), [(8, 8), (13, 20), (17, 12)])
def test_short_icmp_header_is_malformed(kind: int, needs: int) -> None:
    given = over_ipv4(fb.icmp(kind, 0, bytes(3)), protocol=1)
    assert malformed(given) == Malformed(34, "ICMP", f"needs {needs} bytes of which 7 are there")


def test_timestamp_request_has_identifier_and_sequence() -> None:
    given = over_ipv4(fb.icmp(13, 0, b"\0\1\0\2" + bytes(12)), protocol=1)
    assert (given.icmp.identifier, given.icmp.sequence) == (1, 2)


# ICMPv6

TARGET = IPv6Address("fe80::1:2")
LINK_LAYER = "02:00:00:00:00:01"


def option(kind: int) -> bytes:
    return bytes([kind, 1]) + fb.MAC_A


@pytest.mark.parametrize(
    ("kind", "body", "target"),
    [
        (133, bytes(4), None),
        (134, bytes(12), None),
        (135, bytes(4) + TARGET.packed, TARGET),
        (136, b"\x60\0\0\0" + TARGET.packed, TARGET),
        (137, bytes(4) + TARGET.packed + fb.V6_B.packed, TARGET),
    ],
)
def test_neighbour_discovery_is_read(kind: int, body: bytes, target: IPv6Address | None) -> None:
    # An option the lab does not know, of 16 bytes, comes first.
    options = bytes([14, 2]) + bytes(14) + option(2 if kind > 135 else 1)
    given = over_ipv6(fb.icmpv6(kind, 0, body + options), 58)
    assert names(given) == ["Ethernet", "IPv6", "Icmp"]
    assert (given.icmp.version, given.icmp.type, given.icmp.checksum_ok) == (6, kind, True)
    assert (given.icmp.target, given.icmp.link_layer) == (target, LINK_LAYER)


def test_redirected_packet_is_quoted() -> None:
    quoted = fb.ipv6(fb.udp(DATA), 17)
    quoted += bytes(-len(quoted) % 8)
    options = bytes([4, 1 + len(quoted) // 8]) + bytes(6) + quoted
    body = bytes(4) + TARGET.packed + fb.V6_B.packed + options
    icmp = over_ipv6(fb.icmpv6(137, 0, body), 58).icmp
    assert [type(layer) for layer in icmp.quoted] == [IPv6, Udp, Payload]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (b"\1\0" + fb.MAC_A, "option 1 has length 0"),
        (b"\1\2" + fb.MAC_A, "needs 16 bytes of which 8 are there"),
        (b"\1", "needs 2 bytes of which 1 are there"),
    ],
)
def test_unreadable_neighbour_discovery_option_is_told(options: bytes, reason: str) -> None:
    given = over_ipv6(fb.icmpv6(135, 0, bytes(4) + TARGET.packed + options), 58)
    assert names(given) == ["Ethernet", "IPv6", "Icmp", "Malformed"]
    assert malformed(given).reason == reason
    assert given.icmp.target == TARGET


def test_icmpv6_echo_is_read() -> None:
    given = over_ipv6(fb.icmpv6(129, 0, b"\0\7\0\1pong"), 58)
    assert (given.icmp.identifier, given.icmp.sequence) == (7, 1)
    assert given.payload == b"pong"


def test_packet_too_big_tells_the_mtu_and_quotes() -> None:
    body = struct.pack("!I", 1280) + fb.ipv6(fb.tcp6(DATA))
    icmp = over_ipv6(fb.icmpv6(2, 0, body), 58).icmp
    assert icmp.mtu == 1280
    assert [type(layer) for layer in icmp.quoted] == [IPv6, Tcp, Payload]


@pytest.mark.parametrize("kind", [1, 3, 4])
def test_icmpv6_errors_quote(kind: int) -> None:
    icmp = over_ipv6(fb.icmpv6(kind, 0, bytes(4) + fb.ipv6(fb.tcp6(DATA))[:48]), 58).icmp
    assert [type(layer) for layer in icmp.quoted] == [IPv6, TcpStart, Malformed]
    assert icmp.mtu is None


def test_other_icmpv6_messages_are_payload_after_the_header() -> None:
    given = over_ipv6(fb.icmpv6(143, 0, bytes(8)), 58)
    assert given.icmp.checksum_ok is True
    assert given.layers[-1] == Payload(58, bytes(8))


def test_error_that_quotes_nothing_has_no_quotation() -> None:
    assert over_ipv6(fb.icmpv6(1, 0, bytes(4)), 58).icmp.quoted == ()


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
