from __future__ import annotations

from collections.abc import Callable

import frame_bytes as fb
import pytest

from lab.analysis.packets.dissect import Reassembler, dissect
from lab.analysis.packets.fragments import Piece, piece_of
from lab.analysis.packets.packet import Packet
from lab.records import Direction, Frame


def seen(data: bytes) -> Packet:
    return dissect(Frame(0, "if0", Direction.IN, data, len(data)))


def over_ipv4(payload: bytes, offset: int, more: bool) -> bytes:
    return fb.ethernet(fb.ipv4(payload, 17, identification=0x1A2B, flags=int(more), offset=offset))


def over_ipv6(payload: bytes, offset: int, more: bool) -> bytes:
    header = fb.fragment_header(offset, more, 0x1A2B, 17)
    return fb.ethernet(fb.ipv6(header + payload, 44), fb.IPV6)


BOTH = pytest.mark.parametrize("fragment", [over_ipv4, over_ipv6])


@BOTH
@pytest.mark.parametrize(("offset", "more"), [(0, True), (16, True), (16, False)])
def test_a_fragment_shows_its_place(
    fragment: Callable[[bytes, int, bool], bytes], offset: int, more: bool
) -> None:
    packet = seen(fragment(bytes(24), offset, more))
    assert piece_of(packet) == Piece(0x1A2B, 17, offset, offset + 24, more)


@BOTH
def test_the_fragment_that_makes_the_datagram_whole_keeps_its_place(
    fragment: Callable[[bytes, int, bool], bytes],
) -> None:
    datagram = fb.udp(bytes(range(24)))
    reassembler = Reassembler()
    reassembler.add(seen(fragment(datagram[:16], 0, True)))
    packet = reassembler.add(seen(fragment(datagram[16:], 16, False)))
    assert packet.reassembled
    assert piece_of(packet) == Piece(0x1A2B, 17, 16, 32, False)


@pytest.mark.parametrize(
    "data",
    [
        over_ipv4(fb.udp(b"hi"), 0, False),
        over_ipv6(fb.udp(b"hi"), 0, False),
        fb.ethernet(fb.ipv6(fb.udp(b"hi"), 17), fb.IPV6),
        fb.ethernet(b"?", fb.ARP),
    ],
    ids=["whole over IPv4", "atomic fragment", "no fragment header", "no IP"],
)
def test_what_is_whole_is_no_fragment(data: bytes) -> None:
    assert piece_of(seen(data)) is None
