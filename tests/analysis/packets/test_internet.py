from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import frame_bytes as fb
import pytest
from dissected import DATA, malformed, names, over_ipv4, over_ipv6, packet

from lab.analysis.packets.packet import (
    Extension,
    Fragment,
    IPv4,
    IPv6,
    Malformed,
    Payload,
)
from lab.records import LinkType

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


def test_wrong_ipv4_checksum_is_reported() -> None:
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
    assert malformed(given).reason == "needs 60 bytes, has 24"
    assert malformed(given).truncated is False
    assert given.ip.checksum_ok is None


def test_ipv4_total_length_below_the_header_ends_dissection_after_it() -> None:
    given = over_ipv4(fb.tcp(DATA), total=19)
    assert names(given) == ["Ethernet", "IPv4", "Malformed"]
    assert malformed(given).reason == "total length is 19, below the header's 20"


def test_ipv4_total_length_past_the_link_is_reported_and_what_is_there_dissected() -> None:
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
def test_unreadable_ipv4_options_are_reported_and_the_segment_dissected(
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


def test_ipv6_payload_length_past_the_link_is_reported_and_what_is_there_dissected() -> None:
    given = over_ipv6(fb.tcp6(DATA), length=100)
    assert names(given) == ["Ethernet", "IPv6", "Malformed", "Tcp", "Payload"]
    assert (given.tcp.payload_bytes, given.tcp.checksum_ok) == (12, None)


def test_bytes_past_the_ipv6_payload_length_are_not_payload() -> None:
    given = packet(fb.ethernet(fb.ipv6(fb.tcp6(DATA)) + b"trailer", fb.IPV6))
    assert given.payload == DATA
    assert given.tcp.checksum_ok is True


def test_the_jumbo_payload_option_gives_the_length_of_a_jumbogram() -> None:
    data = bytes(range(256)) * 300
    hop_by_hop = bytes.fromhex("0600c204") + (8 + 20 + len(data)).to_bytes(4, "big")
    given = over_ipv6(hop_by_hop + fb.tcp6(data), 0, length=0)
    assert names(given) == ["Ethernet", "IPv6", "Extension", "Tcp", "Payload"]
    assert (given.tcp.payload_bytes, given.tcp.checksum_ok) == (len(data), True)
    assert given.payload == data


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("0600010400000000", "payload length is 0, without a Jumbo Payload option"),
        ("0600c20400000028", "Jumbo Payload of 4 bytes is 40, not 4 bytes above 65535"),
        ("0600c20300010000", "Jumbo Payload of 3 bytes is 256, not 4 bytes above 65535"),
        ("0600c20400020000", "payload length is 131072, past the link's 40 bytes"),
    ],
)
def test_what_is_wrong_with_a_jumbograms_length_is_said(options: str, reason: str) -> None:
    given = over_ipv6(bytes.fromhex(options) + fb.tcp6(DATA), 0, length=0)
    assert malformed(given).reason == reason


@pytest.mark.parametrize("size", range(8))
def test_a_jumbograms_options_may_be_cut_anywhere(size: int) -> None:
    whole = fb.ethernet(fb.ipv6(bytes.fromhex("0600c20400020000"), 0, length=0), fb.IPV6)
    given = packet(whole[: 54 + size], wire_bytes=len(whole))
    assert malformed(given).truncated


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


def test_unreadable_hop_by_hop_option_is_reported_and_the_segment_dissected() -> None:
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
