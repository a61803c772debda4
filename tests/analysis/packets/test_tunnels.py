from __future__ import annotations

import struct

import frame_bytes as fb
import link_bytes as tb
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.packets.dissect import Reassembler, dissect, enter
from lab.analysis.packets.fragments import datagram_of, piece_of
from lab.analysis.packets.packet import Malformed, Packet, Tunnel
from lab.analysis.packets.walk import MOST_TUNNELS
from lab.records import Direction, Frame, LinkType

UNNEEDED = frozenset(("snap", "e-tag", "vn-tag", "hsr", "cmd"))
"""What is entered in any case: tags."""
NEEDED = {name: data for name, data in tb.TUNNELS.items() if name not in UNNEEDED}


def packet(data: bytes, wire_bytes: int | None = None, *, tunnels: bool = True) -> Packet:
    size = len(data) if wire_bytes is None else wire_bytes
    frame = Frame(1, "if0", Direction.UNKNOWN, data, size, LinkType.ETHERNET)
    return Reassembler(enter=enter).add(dissect(frame, tunnels=tunnels))


def tunnels_of(given: Packet) -> list[tuple[str, tuple[int, ...]]]:
    return [(each.name, each.identifiers) for each in given.layers if isinstance(each, Tunnel)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ipip", [("IPIP", ())]),
        ("6in4", [("6in4", ())]),
        ("4in6", [("4in6", ())]),
        ("6in6", [("6in6", ())]),
        ("ipip in ah", [("IPIP", ())]),
        ("gre", [("GRE", ())]),
        ("gre with key and sequence", [("GRE", (9,))]),
        ("pptp", [("GRE", (3,))]),
        ("erspan 1", [("ERSPAN", ())]),
        ("erspan 2", [("ERSPAN", (5,))]),
        ("erspan 3", [("ERSPAN", (5,))]),
        ("vxlan", [("VXLAN", (7,))]),
        ("geneve with options", [("Geneve", (8,))]),
        ("gtp with an extension", [("GTP-U", (0xABCD,))]),
        ("etherip", [("EtherIP", ())]),
        ("pppoe", [("PPPoE session", (5,))]),
        ("mpls", [("MPLS", (16, 17))]),
        ("mpls explicit null", [("MPLS", (2,))]),
        ("mpls in ip", [("MPLS", (99,))]),
        ("vxlan in gre", [("GRE", ()), ("VXLAN", (7,))]),
        ("pseudowire", [("MPLS", (100,))]),
        ("pseudowire with a control word", [("MPLS", (16, 100))]),
        ("vxlan-gpe with nsh", [("VXLAN-GPE", (7,)), ("NSH", (0x010203,))]),
        ("l2tp with all fields", [("L2TP", (1, 2))]),
        ("teredo with all fields", [("Teredo", ())]),
        ("pbb", [("PBB", (0x123,))]),
        ("gre in udp", [("GRE", ())]),
    ],
)
def test_a_tunnel_is_named_with_its_numbers(
    name: str, expected: list[tuple[str, tuple[int, ...]]]
) -> None:
    assert tunnels_of(packet(tb.TUNNELS[name])) == expected


@pytest.mark.parametrize("name", tb.TUNNELS)
def test_the_packet_inside_is_the_packet(name: str) -> None:
    given = packet(tb.TUNNELS[name])
    assert given.tcp is not None
    assert (given.tcp.source_port, given.tcp.checksum_ok) == (40000, True)
    assert (given.payload, given.udp, given.malformed) == (tb.DATA, None, None)
    assert given.ip is not None
    assert given.ip.offset < given.tcp.offset
    assert given.own[-1] is given.layers[-1]


@pytest.mark.parametrize("name", NEEDED)
def test_a_tunnel_is_not_entered_unless_asked(name: str) -> None:
    given = packet(NEEDED[name], tunnels=False)
    assert tunnels_of(given) == []
    assert (given.tcp, given.inner) == (None, 0)


@pytest.mark.parametrize("name", tb.TUNNELS)
def test_a_capture_cut_at_any_length_never_blames_the_sender(name: str) -> None:
    data = tb.TUNNELS[name]
    for size in range(len(data)):
        cut = packet(data[:size], len(data))
        faults = [layer for layer in cut.layers if isinstance(layer, Malformed)]
        assert all(each.truncated and each.offset <= size for each in faults)


@pytest.mark.parametrize("name", tb.TUNNELS)
def test_a_frame_that_ends_early_is_malformed_where_it_ends(name: str) -> None:
    data = tb.TUNNELS[name]
    for size in range(len(data)):
        short = packet(data[:size])
        if short.malformed is None and name.startswith("pseudowire"):
            # Nothing says what is behind a label: too short to be known by itself, it is payload.
            assert (tunnels_of(short), bool(short.payload)) == ([], True)
            continue
        assert short.malformed is not None
        assert not short.malformed.truncated
        assert 0 <= short.malformed.offset <= size


def test_what_is_malformed_inside_has_its_offset_in_the_frame() -> None:
    inside = tb.IP4[:8] + b"\0" + tb.IP4[9:]
    given = packet(tb.in_ip(b"\x35" + inside[1:], 4))
    assert given.malformed == Malformed(34, "IPv4", "version is 3, not 4")


def nested(depth: int) -> bytes:
    data = tb.IP4
    for _ in range(depth):
        data = fb.ipv4(data, 4)
    return fb.ethernet(data)


def test_no_more_tunnels_than_the_most_are_entered() -> None:
    assert packet(nested(MOST_TUNNELS)).tcp is not None
    deep = packet(nested(MOST_TUNNELS + 1))
    assert deep.tcp is None
    assert deep.malformed is not None
    assert deep.malformed.reason == "inside 8 tunnels, of which no more are entered"
    assert packet(nested(2000)).malformed is not None


def test_lengths_inside_llc_are_not_followed() -> None:
    chain = b"".join(b"\xaa\xaa\3\0\0\0\5\0" for _ in range(8000))
    assert packet(fb.ethernet(chain, 1500)).tcp is None
    tagged = b"\x81\0\0\1".join(b"\xaa\xaa\3\0\0\0" for _ in range(6000))
    assert packet(fb.ethernet(tagged, 1500)).tcp is None


@pytest.mark.parametrize(
    "data",
    [
        tb.gre(tb.IP4, 0x0800, 0x4000),  # source routing
        tb.gre(tb.IP4, 0x0800, 0x0002),  # version 2
        tb.gre(b"hello", 0x1234),
        tb.gre(tb.INSIDE, 0x22EB, 0x1000, bytes(4) + bytes(10) + b"\x04\0"),  # of another link
        tb.in_udp(b"\0\0\0\0\0\0\7\0" + tb.INSIDE, 4789),  # without a valid VNI
        tb.in_udp(b"\x40\0\x65\x58\0\0\x08\0" + tb.INSIDE, 6081),  # of version 1
        tb.in_udp(b"\x32\1\0\4\0\0\0\0\0\0\0\0", 2152),  # an echo request
        fb.ethernet(tb.label(16) + bytes(40), 0x8847),  # neither IP nor Ethernet
        fb.ethernet(tb.label(16) + b"\x10\0\0\x57", 0x8847)[:-2] + b"\0\7hello",  # of no IP
        tb.in_udp(b"\x0c\0\0\x09\0\0\7\0" + tb.INSIDE, 4790),  # of another protocol
        tb.in_udp(b"\x04\0\0\3\0\0\7\0" + tb.INSIDE, 4790),  # without a valid VNI
        tb.in_udp(b"\x09\0\0\0\0\0\7\0" + tb.INSIDE, 8472),  # a reserved bit
        tb.in_udp(b"\xc8\2" + bytes(10), 1701),  # a control message
        tb.in_udp(b"\0\3" + bytes(10), 1701),  # of version 3
        tb.in_udp(b"\x10 no IP", 3544),
        tb.in_udp(bytes(8) + b"\x10 no IP", 4341),
        tb.gtp(b"\x10 no IP"),
        fb.ethernet(b"\x4f\xc2\1\1" + bytes(4) + tb.IP4, 0x894F),  # of version 1
        fb.ethernet(b"\x40\0" + bytes(4) + tb.INSIDE, 0x22F3),  # of version 1
    ],
)
def test_what_cannot_be_entered_is_payload_of_the_packet_outside(data: bytes) -> None:
    given = packet(data)
    assert (tunnels_of(given), given.malformed, given.tcp) == ([], None, None)
    assert given.payload


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (tb.in_ip(b"\x40\0" + tb.INSIDE, 97), "version is 4, not 3"),
        (tb.gtp(tb.IP4, 0x34, b"\0\0\0\x85\0\0\0\0"), "length is 0"),
        (tb.pppoe_frame(tb.IP4)[:-1], "length is 54, past the link's 53"),
    ],
)
def test_what_makes_no_sense_is_said(data: bytes, reason: str) -> None:
    given = packet(data)
    assert given.malformed is not None
    assert given.malformed.reason == reason


def test_a_tunnel_in_fragments_is_entered_when_it_is_whole() -> None:
    inside = struct.pack("!HH", 0, 0x0800) + tb.IP4
    reassembler = Reassembler(enter=enter)
    pieces = [
        fb.ethernet(fb.ipv4(inside[start : start + 32], 47, flags=int(start == 0), offset=start))
        for start in (0, 32)
    ]
    first, last = (
        reassembler.add(dissect(Frame(1, "if0", Direction.UNKNOWN, data, len(data)), tunnels=True))
        for data in pieces
    )
    assert (first.tcp, last.payload, last.reassembled) == (None, tb.DATA, True)
    assert tunnels_of(last) == [("GRE", ())]
    assert datagram_of(first) == datagram_of(last) is not None


def test_fragments_inside_a_tunnel_are_made_whole() -> None:
    reassembler = Reassembler(enter=enter)
    segment = fb.tcp(tb.DATA)
    seen = [
        reassembler.add(
            dissect(
                Frame(1, "if0", Direction.UNKNOWN, data, len(data)),
                tunnels=True,
            )
        )
        for data in (
            tb.gre(fb.ipv4(segment[:16], flags=1), 0x0800),
            tb.in_ip(fb.ipv4(segment[16:], flags=0, offset=16), 4),  # of another tunnel
            tb.gre(fb.ipv4(segment[16:], flags=0, offset=16), 0x0800),
        )
    ]
    assert [each.tcp is not None for each in seen] == [False, False, True]
    assert all(piece_of(each) for each in seen)
    assert datagram_of(seen[0]) == datagram_of(seen[2]) != datagram_of(seen[1])


@given(st.sampled_from(sorted(tb.TUNNELS)), st.data())
@examples(200)
def test_no_bytes_of_a_tunnel_crash_the_dissector(name: str, data: st.DataObject) -> None:
    frame = bytearray(tb.TUNNELS[name])
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(12, len(frame) - 1))] = data.draw(st.integers(0, 255))
    given_packet = packet(bytes(frame))
    assert given_packet.layers
    assert all(0 <= layer.offset <= len(frame) for layer in given_packet.own[:1])
