from __future__ import annotations

import struct
from pathlib import Path

import frame_bytes as fb
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.packets.dissect import dissect
from lab.analysis.packets.packet import Packet
from lab.analysis.plain.decode import PlainDecoder
from lab.pcap.capture_file import read_frames
from lab.records import Direction, Frame, LinkType

TESTS = Path(__file__).parents[2]
RECORDINGS = sorted((TESTS / "recordings").glob("*/recording.pcapng"))
SYN_OPTIONS = bytes.fromhex("020405b40402080a000000010000000001030307")
TIMESTAMPS = bytes.fromhex("0101080a0000000100000002")
SACK = bytes.fromhex("0101050a0000000100000002")


def frame(data: bytes, link: LinkType = LinkType.ETHERNET, more: int = 0) -> Frame:
    return Frame(1, "client/eth0", Direction.OUT, data, len(data) + more, link)


def decoded(data: bytes, *, tunnels: bool = False) -> Packet | None:
    return PlainDecoder(tunnels=tunnels).decode(frame(data))


def kind_of(data: bytes) -> bytes:
    """What frames have in common that are decoded in the same way."""
    options_at = 54 if data[12:14] == b"\x08\0" else 74
    return data[12:15] + data[20:24] + data[options_at - 8 : options_at - 6] + data[options_at:][:4]


def test_what_is_decoded_of_recorded_frames_is_what_scapy_makes_of_them() -> None:
    plain = 0
    seen: dict[bytes, Frame] = {}
    decoder = PlainDecoder()
    for path in RECORDINGS:
        seen |= {kind_of(each.data): each for each in read_frames(path)}
    for each in seen.values():
        if (packet := decoder.decode(each)) is not None:
            # As text as well: a number equals the flag or truth of its value.
            assert packet == dissect(each)
            assert repr(packet) == repr(dissect(each))
            plain += 1
    assert plain > 50


@pytest.mark.parametrize("options", [b"", SYN_OPTIONS, TIMESTAMPS, SACK])
@pytest.mark.parametrize("data", [b"", b"hello"])
def test_segments_are_plain_over_both_families(options: bytes, data: bytes) -> None:
    over_ipv4 = fb.ethernet(fb.ipv4(fb.tcp(data, options=options, flags=0x1C2)))
    segment = fb.tcp(data, options=options, source=fb.V6_A, destination=fb.V6_B)
    over_ipv6 = fb.ethernet(fb.ipv6(segment), fb.IPV6)
    for each in (over_ipv4, over_ipv6):
        assert decoded(each) == dissect(frame(each))


def test_datagrams_are_plain_and_padding_is_no_payload() -> None:
    inside = fb.udp(b"data", source=fb.V6_A, destination=fb.V6_B)
    for each in (
        fb.ethernet(fb.ipv4(fb.udp(b"data"), 17) + b"padding of the link"),
        fb.ethernet(fb.ipv6(inside, 17) + b"padding", fb.IPV6),
    ):
        assert decoded(each) == dissect(frame(each))


REQUEST = bytes.fromhex("000108000604000102420a0000020a000001000000000000") + fb.V4_B.packed


def solicitation(options: bytes = b"", kind: int = 135, checksum: int | None = None) -> bytes:
    """A Neighbor Solicitation, or another message of its shape."""
    body = bytes.fromhex("60000000") + fb.V6_B.packed + options
    message = fb.icmpv6(kind, 0, body)
    if checksum is not None:
        message = message[:2] + struct.pack("!H", checksum) + message[4:]
    return fb.ethernet(fb.ipv6(message, 58), fb.IPV6)


def test_who_asks_for_a_neighbour_and_who_answers_is_plain() -> None:
    for each in (
        fb.ethernet(REQUEST, fb.ARP),
        fb.ethernet(REQUEST[:7] + b"\2" + REQUEST[8:] + b"padding of the link", fb.ARP),
        solicitation(),
        solicitation(b"\1\1\2\x42\x0a\0\0\1"),
        solicitation(b"\2\1\2\x42\x0a\0\0\1", kind=136),
        solicitation(kind=136) + b"padding of the link",
    ):
        found = decoded(each)
        assert found is not None
        assert repr(found) == repr(dissect(frame(each)))


@examples(200)
@given(st.integers(0, 85), st.integers(0, 7), st.booleans())
def test_whatever_is_flipped_of_those_is_decoded_as_scapy_does_or_not_at_all(
    at: int, bit: int, is_ipv6: bool
) -> None:
    option = b"\1\1\2\x42\x0a\0\0\1"
    data = bytearray(solicitation(option) if is_ipv6 else fb.ethernet(REQUEST, fb.ARP))
    data[at % len(data)] ^= 1 << bit
    found = decoded(bytes(data))
    assert found in (None, dissect(frame(bytes(data))))


@pytest.mark.parametrize(
    "data",
    [
        fb.ethernet(fb.ipv4(fb.tcp(), options=b"\1\1\1\0")),
        fb.ethernet(fb.ipv4(fb.tcp(), flags=1)),
        fb.ethernet(fb.ipv4(fb.tcp(), offset=8)),
        fb.ethernet(fb.ipv4(fb.tcp(), total=80)),
        fb.ethernet(fb.ipv4(fb.tcp(), total=0)),
        fb.ethernet(fb.ipv4(fb.tcp(checksum=1))),
        fb.ethernet(fb.ipv4(fb.tcp(data_offset=16))),
        fb.ethernet(fb.ipv4(fb.tcp(data_offset=60))),
        fb.ethernet(fb.ipv4(fb.tcp(options=b"\2\3\1\0"))),
        fb.ethernet(fb.ipv4(fb.tcp(options=b"\5\4\1\0"))),
        fb.ethernet(fb.ipv4(fb.tcp(options=b"\x1e\1\1\0"))),
        fb.ethernet(fb.ipv4(fb.udp(checksum=0), 17)),
        fb.ethernet(fb.ipv4(fb.udp(checksum=1), 17)),
        fb.ethernet(fb.ipv4(fb.udp(length=9), 17)),
        fb.ethernet(fb.ipv4(fb.icmp(8, 0, bytes(4)), 1)),
        fb.ethernet(fb.ipv4(b"", 6) + bytes(40)),
        fb.ethernet(fb.ipv6(fb.tcp6(), version=5), fb.IPV6),
        fb.ethernet(fb.ipv6(fb.fragment_header(0, False) + fb.tcp6(), 44), fb.IPV6),
        fb.ethernet(fb.ipv4(fb.tcp()), tags=((0x8100, 7),)),
        fb.ethernet(bytes(28), fb.ARP),
        fb.ethernet(REQUEST[:-1], fb.ARP),
        fb.ethernet(b"\0\6" + REQUEST[2:], fb.ARP),
        fb.ethernet(REQUEST[:4] + b"\x08" + REQUEST[5:] + bytes(4), fb.ARP),
        solicitation(b"\1\1" + bytes(6), checksum=1),
        solicitation(b"\1\1" + bytes(5)),
        solicitation(b"\1\2" + bytes(14)),
        solicitation(b"\1\0" + bytes(6)),
        solicitation(b"\2\1" + bytes(6) + b"\1\1" + bytes(6)),
        solicitation(b"\x0e\1" + bytes(6)),
        solicitation(kind=133),
        solicitation(kind=137),
        b"",
    ],
)
def test_of_any_other_frame_nothing_is_said(data: bytes) -> None:
    assert decoded(data) is None


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (fb.ethernet(fb.ipv4(fb.tcp(b"payload"))), 54),
        (fb.ethernet(fb.ipv4(fb.tcp(b"payload", options=TIMESTAMPS + b"\1\1"))), 66),
        (fb.ethernet(fb.ipv4(fb.udp(b"payload"), 17)), 42),
        (fb.ethernet(fb.ipv6(fb.tcp6() + b"").ljust(80, b"\0"), fb.IPV6), 74),
        (fb.ethernet(fb.ipv4(fb.tcp(b"payload")) + b"padding"), 54),
    ],
)
def test_a_frame_cut_behind_its_headers_is_what_scapy_makes_of_it(
    data: bytes, headers: int
) -> None:
    said = 0
    for length in range(len(data)):
        given = frame(data[:length], more=len(data) - length)
        found = PlainDecoder().decode(given)
        assert found is None or found == dissect(given)
        said += found is not None
    assert said == len(data) - headers > 0


def test_nothing_is_said_of_frames_of_other_links_and_before_tunnels() -> None:
    data = fb.ethernet(fb.ipv4(fb.tcp()))
    assert PlainDecoder().decode(frame(data, LinkType.LINUX_SLL)) is None
    vxlan = bytearray(fb.udp(b"to the port of a tunnel"))
    vxlan[2:4] = struct.pack("!H", 4789)
    vxlan[6:8] = bytes(2)
    pseudo = fb.pseudo_header(fb.V4_A, fb.V4_B, 17, len(vxlan))
    vxlan[6:8] = struct.pack("!H", fb.internet_checksum(pseudo + vxlan))
    whole = fb.ethernet(fb.ipv4(bytes(vxlan), 17))
    assert decoded(whole) == dissect(frame(whole))
    assert decoded(whole, tunnels=True) is None


OPTION = st.one_of(
    st.sampled_from([b"\0", b"\1", b"\4\2", b"\3\3\7", b"\2\4\5\xb4", TIMESTAMPS, SACK]),
    st.binary(max_size=6),
)


@examples(200)
@given(st.lists(OPTION, max_size=4), st.binary(max_size=3), st.integers(0, 0x1FF), st.booleans())
def test_whatever_is_decoded_is_what_scapy_makes_of_it(
    options: list[bytes], data: bytes, flags: int, is_ipv6: bool
) -> None:
    given = b"".join(options)[:40]
    given += bytes(-len(given) % 4)
    if is_ipv6:
        packet = fb.ipv6(
            fb.tcp(data, options=given, flags=flags, source=fb.V6_A, destination=fb.V6_B)
        )
    else:
        packet = fb.ipv4(fb.tcp(data, options=given, flags=flags), tos=flags & 0xFF)
    whole = fb.ethernet(packet, fb.IPV6 if is_ipv6 else fb.IPV4)
    found = decoded(whole)
    assert found in (None, dissect(frame(whole)))


@examples(200)
@given(st.integers(0, 69), st.integers(0, 7), st.booleans())
def test_whatever_is_flipped_is_decoded_as_scapy_does_or_not_at_all(
    at: int, bit: int, is_ipv6: bool
) -> None:
    inside = fb.ipv6(fb.tcp6(b"data")) if is_ipv6 else fb.ipv4(fb.tcp(b"data", options=TIMESTAMPS))
    data = bytearray(fb.ethernet(inside, fb.IPV6 if is_ipv6 else fb.IPV4))
    data[at] ^= 1 << bit
    found = decoded(bytes(data))
    assert found in (None, dissect(frame(bytes(data))))
