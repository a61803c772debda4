from __future__ import annotations

import random
import struct

import frame_bytes as fb
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.packets.dissect import Reassembler, dissect
from lab.analysis.packets.fragments import REASSEMBLY_TIMEOUT_NS
from lab.analysis.packets.packet import Packet
from lab.records import Direction, Frame

TEXT = bytes(range(256)) * 12
SEGMENT = {4: fb.tcp(TEXT), 6: fb.tcp6(TEXT)}

Cut = tuple[int, int]


def fragment(version: int, datagram: bytes, start: int, end: int, identification: int = 7) -> bytes:
    """The frame that carries bytes `start` to `end` of a datagram."""
    more, part = end < len(datagram), datagram[start:end]
    if version == 4:
        return fb.ethernet(
            fb.ipv4(part, flags=int(more), offset=start, identification=identification)
        )
    header = fb.fragment_header(start, more, identification)
    return fb.ethernet(fb.ipv6(header + part, 44), fb.IPV6)


def packet(data: bytes, time_ns: int = 0, point: str = "client/eth0", cut: int = 0) -> Packet:
    captured = data[: len(data) - cut]
    return dissect(Frame(time_ns, point, Direction.IN, captured, len(data)))


def cuts(size: int, step: int) -> list[Cut]:
    return [(start, min(start + step, size)) for start in range(0, size, step)]


def reassemble(
    version: int, parts: list[Cut], reassembler: Reassembler | None = None
) -> list[Packet]:
    reassembler = reassembler or Reassembler()
    return [reassembler.add(packet(fragment(version, SEGMENT[version], *part))) for part in parts]


both = pytest.mark.parametrize("version", [4, 6])


@both
def test_last_fragment_to_arrive_carries_the_whole_segment(version: int) -> None:
    *earlier, last = reassemble(version, cuts(len(SEGMENT[version]), 1480))
    assert all(p.tcp is None and not p.reassembled for p in earlier)
    assert last.reassembled
    assert last.payload == TEXT
    assert last.tcp is not None
    assert (last.tcp.checksum_ok, last.tcp.payload_bytes, last.tcp.offset) == (True, 3072, 0)


@both
def test_reassembled_packet_keeps_the_last_fragments_own_headers(version: int) -> None:
    last = reassemble(version, cuts(len(SEGMENT[version]), 1480))[-1]
    names = [type(layer).__name__ for layer in last.layers]
    own = ["Ethernet", "IPv4"] if version == 4 else ["Ethernet", "IPv6", "Fragment"]
    assert names == [*own, "Tcp", "Payload"]
    header = last.ip if version == 4 else last.layers[2]
    assert header.fragment_offset == 2960
    assert header.more_fragments is False


@both
@examples(30)
@given(st.integers(1, 60).map(lambda n: n * 8), st.randoms(use_true_random=False))
def test_fragments_may_come_in_any_order(version: int, step: int, order: random.Random) -> None:
    parts = cuts(len(SEGMENT[version]), step)
    order.shuffle(parts)
    packets = reassemble(version, parts)
    assert [p.reassembled for p in packets] == [False] * (len(parts) - 1) + [True]
    assert packets[-1].payload == TEXT


@both
def test_a_missing_fragment_leaves_the_others_as_they_came(version: int) -> None:
    parts = cuts(len(SEGMENT[version]), 800)
    del parts[1]
    assert not any(p.reassembled or p.tcp for p in reassemble(version, parts))


@both
def test_a_duplicate_fragment_changes_nothing(version: int) -> None:
    first, second, third, fourth = cuts(len(SEGMENT[version]), 800)
    packets = reassemble(version, [first, first, second, first, third, second, fourth])
    assert [p.reassembled for p in packets] == [False] * 6 + [True]
    assert packets[-1].payload == TEXT


@both
def test_interleaved_datagrams_are_kept_apart(version: int) -> None:
    reassembler = Reassembler()
    other = fb.tcp(b"x" * 64, sport=9) if version == 4 else fb.tcp6(b"x" * 64, sport=9)
    segment = SEGMENT[version]
    frames = [
        fragment(version, segment, 0, 1600, 1),
        fragment(version, other, 0, 40, 2),
        fragment(version, segment, 1600, len(segment), 1),
        fragment(version, other, 40, len(other), 2),
    ]
    packets = [reassembler.add(packet(frame)) for frame in frames]
    assert [p.payload if p.tcp else None for p in packets] == [None, None, TEXT, b"x" * 64]


def test_ipv4_datagrams_of_two_protocols_may_share_an_identification() -> None:
    reassembler = Reassembler()
    tcp_start = fb.ethernet(fb.ipv4(SEGMENT[4][:1600], flags=1))
    udp_end = fb.ethernet(fb.ipv4(SEGMENT[4][1600:], 17, flags=0, offset=1600))
    assert not any(reassembler.add(packet(f)).reassembled for f in (tcp_start, udp_end))


@both
def test_each_capture_point_reassembles_for_itself(version: int) -> None:
    reassembler = Reassembler()
    parts = [(0, 1600), (1600, len(SEGMENT[version]))]
    seen = [
        reassembler.add(packet(fragment(version, SEGMENT[version], *part), point=point))
        for part in parts
        for point in ("client/eth0", "router/eth1")
    ]
    assert [p.reassembled for p in seen] == [False, False, True, True]


@both
def test_each_vlan_is_reassembled_for_itself(version: int) -> None:
    reassembler = Reassembler()
    parts = [(0, 1600), (1600, len(SEGMENT[version]))]
    seen = []
    for part in parts:
        for vlan in (10, 20):
            untagged = fragment(version, SEGMENT[version], *part)
            tagged = untagged[:12] + struct.pack("!HH", 0x8100, vlan) + untagged[12:]
            seen.append(reassembler.add(packet(tagged)).reassembled)
    assert seen == [False, False, True, True]


# Overlaps


def overlapping(version: int, parts: list[tuple[bytes, Cut]]) -> list[Packet]:
    reassembler = Reassembler()
    return [reassembler.add(packet(fragment(version, data, *part))) for data, part in parts]


EVIL = {v: SEGMENT[v][:20] + b"!" * len(TEXT) for v in (4, 6)}


def test_over_ipv4_the_bytes_that_arrived_first_stay() -> None:
    packets = overlapping(
        4, [(SEGMENT[4], (0, 1600)), (EVIL[4], (800, 2400)), (SEGMENT[4], (2400, 3092))]
    )
    assert packets[-1].payload == TEXT[:1580] + b"!" * 800 + TEXT[2380:]
    assert packets[-1].tcp.checksum_ok is False


def test_over_ipv4_a_late_overlap_fills_only_the_holes() -> None:
    packets = overlapping(
        4,
        [(SEGMENT[4], (0, 800)), (SEGMENT[4], (1600, 2400)), (SEGMENT[4], (2800, 3092)),
         (EVIL[4], (400, 3032))],
    )  # fmt: skip
    expected = TEXT[:780] + b"!" * 800 + TEXT[1580:2380] + b"!" * 400 + TEXT[2780:]
    assert packets[-1].payload == expected


def test_over_ipv6_an_overlap_discards_the_datagram_and_what_follows_of_it() -> None:
    end = len(SEGMENT[6])
    packets = overlapping(
        6,
        [(SEGMENT[6], (0, 1600)), (EVIL[6], (800, 2400)), (SEGMENT[6], (2400, end)),
         (SEGMENT[6], (0, 1600)), (SEGMENT[6], (1600, 2400)), (SEGMENT[6], (2400, end))],
    )  # fmt: skip
    assert not any(p.reassembled for p in packets)


def test_over_ipv6_a_duplicate_with_other_bytes_discards_the_datagram() -> None:
    end = len(SEGMENT[6])
    parts = [(SEGMENT[6], (0, 1600)), (EVIL[6], (0, 1600)), (SEGMENT[6], (1600, end))]
    assert not any(p.reassembled for p in overlapping(6, parts))


@both
def test_two_different_ends_discard_the_datagram(version: int) -> None:
    segment = SEGMENT[version]
    short = segment[:2400]
    frames = [
        fragment(version, short, 1600, 2400),
        fragment(version, segment, 2400, len(segment)),
        fragment(version, segment, 0, 1600),
    ]
    reassembler = Reassembler()
    assert not any(reassembler.add(packet(frame)).reassembled for frame in frames)


@both
def test_bytes_past_the_end_discard_the_datagram(version: int) -> None:
    segment = SEGMENT[version]
    frames = [
        fragment(version, segment, 2400, 2800),
        fragment(version, segment[:2400], 1600, 2400),
        fragment(version, segment, 0, 1600),
    ]
    reassembler = Reassembler()
    assert not any(reassembler.add(packet(frame)).reassembled for frame in frames)


def test_an_ipv4_identification_is_free_again_after_a_contradiction() -> None:
    reassembler = Reassembler()
    segment = SEGMENT[4]
    for frame in (fragment(4, segment[:2400], 1600, 2400), fragment(4, segment[:1600], 800, 1600)):
        reassembler.add(packet(frame))
    assert reassemble(4, cuts(len(segment), 1480), reassembler)[-1].reassembled


# What takes no part


@both
def test_a_fragment_the_capture_cut_takes_no_part(version: int) -> None:
    reassembler = Reassembler()
    segment = SEGMENT[version]
    cut = reassembler.add(packet(fragment(version, segment, 0, 1600), cut=1))
    rest = reassembler.add(packet(fragment(version, segment, 1600, len(segment))))
    assert (cut.reassembled, rest.reassembled) == (False, False)
    assert reassembler.add(packet(fragment(version, segment, 0, 1600))).reassembled


@both
def test_a_fragment_of_a_wrong_size_takes_no_part(version: int) -> None:
    reassembler = Reassembler()
    segment = SEGMENT[version]
    wrong = reassembler.add(packet(fragment(version, segment, 0, 1603)))
    assert wrong.malformed is not None
    assert not reassembler.add(packet(fragment(version, segment, 1600, len(segment)))).reassembled


def test_an_ipv4_fragment_whose_length_lies_takes_no_part() -> None:
    reassembler = Reassembler()
    lying = fb.ethernet(fb.ipv4(SEGMENT[4][:1600], flags=1, total=1700))
    reassembler.add(packet(lying))
    assert not reassembler.add(packet(fragment(4, SEGMENT[4], 1600, 3092))).reassembled


# Bounds


@both
def test_the_longest_waiting_datagram_makes_room(version: int) -> None:
    reassembler = Reassembler(limit=2)
    segment = SEGMENT[version]
    for identification in (1, 2, 3):
        reassembler.add(packet(fragment(version, segment, 0, 1600, identification)))
    end = len(segment)
    done = [
        reassembler.add(packet(fragment(version, segment, 1600, end, identification))).reassembled
        for identification in (2, 3)
    ]
    assert done == [True, True]
    assert not reassembler.add(packet(fragment(version, segment, 1600, end, 1))).reassembled


@both
@pytest.mark.parametrize(("late_ns", "whole"), [(0, True), (1, False)])
def test_fragments_wait_a_minute(version: int, late_ns: int, whole: bool) -> None:
    reassembler = Reassembler()
    segment = SEGMENT[version]
    reassembler.add(packet(fragment(version, segment, 0, 1600), time_ns=5))
    last = packet(
        fragment(version, segment, 1600, len(segment)), 5 + REASSEMBLY_TIMEOUT_NS + late_ns
    )
    assert reassembler.add(last).reassembled is whole


def test_the_largest_datagram_is_reassembled_from_the_smallest_fragments() -> None:
    datagram = fb.udp(b"z" * (65512 - 8), length=65512, checksum=0)
    frames = [
        fb.ethernet(fb.ipv4(datagram[at : at + 8], 17, flags=int(at + 8 < 65512), offset=at))
        for at in range(0, 65512, 64)
    ]
    reassembler = Reassembler()
    for frame in frames:
        reassembler.add(packet(frame))
    filled = [
        reassembler.add(packet(fragment_of_udp(datagram, at, at + 56)))
        for at in range(8, 65512, 64)
    ]
    assert [p.reassembled for p in filled[-2:]] == [False, True]
    assert filled[-1].udp.payload_bytes == 65504


def fragment_of_udp(datagram: bytes, start: int, end: int) -> bytes:
    end = min(end, len(datagram))
    more = int(end < len(datagram))
    return fb.ethernet(fb.ipv4(datagram[start:end], 17, flags=more, offset=start))


# What a datagram holds


def test_extension_headers_in_the_datagram_lead_to_the_segment() -> None:
    datagram = bytes.fromhex("0600010400000000") + SEGMENT[6]
    reassembler = Reassembler()
    for start, end in cuts(len(datagram), 1600):
        header = fb.fragment_header(start, end < len(datagram), next_header=60)
        last = reassembler.add(
            packet(fb.ethernet(fb.ipv6(header + datagram[start:end], 44), fb.IPV6))
        )
    names = [type(layer).__name__ for layer in last.layers]
    assert names == ["Ethernet", "IPv6", "Fragment", "Extension", "Tcp", "Payload"]
    assert last.tcp.checksum_ok is True


def test_the_first_fragment_shows_the_next_header() -> None:
    reassembler = Reassembler()
    for start, end, protocol in ((1600, 3092, 17), (0, 1600, 6)):
        header = fb.fragment_header(start, end < 3092, next_header=protocol)
        last = reassembler.add(
            packet(fb.ethernet(fb.ipv6(header + SEGMENT[6][start:end], 44), fb.IPV6))
        )
    assert last.tcp is not None


def test_a_routing_header_before_the_fragments_leaves_the_checksum_unknown() -> None:
    reassembler = Reassembler()
    routing = bytes.fromhex("2c02000100000000") + bytes(16)
    for start, end in ((0, 1600), (1600, 3092)):
        part = routing + fb.fragment_header(start, end < 3092) + SEGMENT[6][start:end]
        last = reassembler.add(packet(fb.ethernet(fb.ipv6(part, 43), fb.IPV6)))
    assert last.payload == TEXT
    assert last.tcp.checksum_ok is None


def test_a_malformed_segment_in_the_datagram_is_reported() -> None:
    reassembler = Reassembler()
    for start, end in ((0, 8), (8, 14)):
        last = reassembler.add(packet(fragment(4, SEGMENT[4][:14], start, end)))
    assert last.reassembled
    assert last.malformed.reason == "needs 20 bytes, has 14"
    assert last.malformed.truncated is False
