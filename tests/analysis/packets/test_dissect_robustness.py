"""No bytes crash the dissector, and what it says of cut frames is never more than it saw."""

from __future__ import annotations

import struct
from itertools import product

import frame_bytes as fb
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.packets.dissect import Reassembler, dissect
from lab.analysis.packets.packet import Layer, Malformed, Packet, Payload
from lab.records import Direction, Frame, LinkType

SYN_OPTIONS = bytes.fromhex("020405b40402080a000000010000000001030307")
ARP_REQUEST = (
    struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
    + fb.MAC_A + fb.V4_A.packed + bytes(6) + fb.V4_B.packed
)  # fmt: skip
SOLICITATION = fb.icmpv6(135, 0, bytes(4) + fb.V6_B.packed + b"\1\1" + fb.MAC_A)
HOP_BY_HOP = bytes.fromhex("3c00050200000100")
DESTINATION = bytes.fromhex("0600010400000000")

SAMPLES: dict[str, tuple[LinkType, bytes]] = {
    "syn": (LinkType.ETHERNET, fb.ethernet(fb.ipv4(fb.tcp(flags=fb.SYN, options=SYN_OPTIONS)))),
    "data": (
        LinkType.ETHERNET,
        fb.ethernet(fb.ipv4(fb.tcp(b"GET / HTTP/1.0\r\n"), options=b"\x94\4\0\0")),
    ),
    "udp on two vlans": (
        LinkType.ETHERNET,
        fb.ethernet(fb.ipv4(fb.udp(b"query"), 17), tags=((0x88A8, 1), (0x8100, 2))),
    ),
    "arp": (LinkType.ETHERNET, fb.ethernet(ARP_REQUEST, fb.ARP)),
    "icmp error": (
        LinkType.ETHERNET,
        fb.ethernet(fb.ipv4(fb.icmp(3, 4, bytes(4), fb.ipv4(fb.tcp(b"quoted"))), 1)),
    ),
    "solicitation": (LinkType.ETHERNET, fb.ethernet(fb.ipv6(SOLICITATION, 58), fb.IPV6)),
    "extensions": (
        LinkType.ETHERNET,
        fb.ethernet(fb.ipv6(HOP_BY_HOP + DESTINATION + fb.tcp6(b"data"), 0), fb.IPV6),
    ),
    "ipv4 fragment": (
        LinkType.ETHERNET,
        fb.ethernet(fb.ipv4(fb.udp(b"fragment"), 17, flags=1)),
    ),
    "ipv6 fragment": (
        LinkType.ETHERNET,
        fb.ethernet(fb.ipv6(fb.fragment_header(8, False) + b"end", 44), fb.IPV6),
    ),
    "cooked v1": (LinkType.LINUX_SLL, fb.cooked_v1(fb.ipv4(fb.tcp(b"any")))),
    "cooked v2": (LinkType.LINUX_SLL2, fb.cooked_v2(fb.ipv6(fb.tcp6(b"any")), fb.IPV6)),
    "loopback": (LinkType.NULL, struct.pack("<I", 2) + fb.ipv4(fb.tcp(b"self"))),
    "raw": (LinkType.RAW, fb.ipv6(fb.icmpv6(129, 0, b"\0\1\0\2pong"), 58)),
}


def whole(link: LinkType, data: bytes, wire_bytes: int) -> Packet:
    frame = Frame(1, "client/eth0", Direction.IN, data, wire_bytes, link)
    packet = Reassembler().add(dissect(frame))
    check_consistent(packet)
    return packet


def check_consistent(packet: Packet) -> None:
    """Layers lie in the frame in order, and a Payload holds the frame's own bytes."""
    data = packet.frame.data
    assert packet.layers
    headers = [layer for layer in packet.layers if not isinstance(layer, Malformed)]
    offsets = [layer.offset for layer in headers]
    assert offsets == sorted(set(offsets))
    for layer in packet.layers:
        assert 0 <= layer.offset <= len(data)
        if isinstance(layer, Payload):
            assert layer.data
            assert data[layer.offset : layer.offset + len(layer.data)] == layer.data
            assert layer is packet.layers[-1]


def headers_of(packet: Packet) -> list[Layer]:
    return [layer for layer in packet.layers if not isinstance(layer, Malformed | Payload)]


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_well_formed(name: str) -> None:
    link, data = SAMPLES[name]
    assert whole(link, data, len(data)).malformed is None


@pytest.mark.parametrize("name", SAMPLES)
def test_a_frame_cut_by_the_capture_never_blames_the_sender(name: str) -> None:
    link, data = SAMPLES[name]
    full = whole(link, data, len(data))
    for size in range(len(data)):
        cut = whole(link, data[:size], len(data))
        assert cut.malformed is None or cut.malformed.truncated
        assert len(headers_of(cut)) <= len(headers_of(full))
        assert full.payload.startswith(cut.payload)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_frame_that_ends_early_never_blames_the_capture(name: str) -> None:
    link, data = SAMPLES[name]
    for size in range(len(data)):
        short = whole(link, data[:size], size)
        assert short.malformed is not None
        assert not any(m.truncated for m in short.layers if isinstance(m, Malformed))


def test_a_cut_frame_keeps_the_headers_that_are_whole() -> None:
    link, data = SAMPLES["syn"]
    for size in range(len(data)):
        cut = whole(link, data[:size], len(data))
        assert (cut.ip is not None) is (size >= 34)
        assert (cut.tcp is not None) is (size >= 54)


@examples(300)
@given(st.sampled_from(LinkType), st.binary(max_size=120), st.integers(0, 40))
def test_random_bytes_never_crash(link: LinkType, data: bytes, missing: int) -> None:
    whole(link, data, len(data) + missing)


@examples(300)
@given(
    st.sampled_from([0x0800, 0x86DD, 0x0806, 0x8100]),
    st.binary(max_size=120),
    st.integers(0, 40),
)
def test_random_bytes_under_a_known_type_never_crash(kind: int, data: bytes, missing: int) -> None:
    whole(LinkType.ETHERNET, fb.ethernet(data, kind), 14 + len(data) + missing)


@examples(300)
@given(st.sampled_from([0, 1, 6, 17, 43, 44, 51, 58, 60, 135]), st.binary(max_size=120))
def test_random_bytes_under_a_known_protocol_never_crash(protocol: int, data: bytes) -> None:
    whole(LinkType.RAW, fb.ipv4(data, protocol), 20 + len(data))
    whole(LinkType.RAW, fb.ipv6(data, protocol), 40 + len(data))


@examples(300)
@given(
    st.sampled_from(sorted(SAMPLES)),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(-10, 10),
)
def test_mutated_frames_never_crash(name: str, changes: list[tuple[int, int]], longer: int) -> None:
    link, original = SAMPLES[name]
    data = bytearray(original)
    for at, value in changes:
        data[at % len(data)] = value
    whole(link, bytes(data), max(0, len(data) + longer))


@pytest.mark.parametrize("version", [4, 6])
def test_every_icmp_type_is_read_from_its_shortest_message(version: int) -> None:
    for kind in range(256):
        data = fb.ipv4(fb.icmp(kind, 0, bytes(16)), 1)
        if version == 6:
            data = fb.ipv6(fb.icmpv6(kind, 0, bytes(36)), 58)
        icmp = whole(LinkType.RAW, data, len(data)).icmp
        assert icmp is not None
        assert (icmp.type, icmp.version) == (kind, version)


def test_every_tcp_option_kind_is_read_at_every_length() -> None:
    for kind, size in product(range(256), range(2, 12)):
        options = bytes([kind, size]) + bytes(range(size - 2))
        options += b"\1" * (-len(options) % 4)
        data = fb.ipv4(fb.tcp(b"data", options=options))
        packet = whole(LinkType.RAW, data, len(data))
        assert packet.tcp is not None, (kind, size)
        assert packet.payload == b"data", (kind, size)


def test_extension_headers_without_end_are_walked_once() -> None:
    data = fb.ipv6(bytes(65528), 0)
    packet = whole(LinkType.RAW, data, len(data))
    assert len(packet.layers) == 1 + 65528 // 8 + 1


def test_quotations_do_not_nest() -> None:
    message = b""
    for _ in range(1500):
        message = fb.ipv4(fb.icmp(3, 1, bytes(4), message), 1)
    packet = whole(LinkType.RAW, message, len(message))
    assert packet.icmp is not None
    assert [type(layer).__name__ for layer in packet.icmp.quoted] == ["IPv4", "Icmp", "Payload"]
