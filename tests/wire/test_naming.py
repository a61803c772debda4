"""What frames are called by among those of their side."""

from __future__ import annotations

import frame_bytes as fb

from lab.wire.headers import Headers
from lab.wire.naming import Census
from lab.wire.rule import Drop, Swap

SYN, SYN_ACK, ACK, FIN, RST = 0x02, 0x12, 0x10, 0x11, 0x14


def segment(flags: int, payload: bytes = b"") -> Headers:
    return Headers(fb.ethernet(fb.ipv4(fb.tcp(payload, seq=1, flags=flags))))


DATAGRAM = Headers(fb.ethernet(fb.ipv4(fb.udp(b"x"), protocol=17)))
EMPTY = Headers(fb.ethernet(fb.ipv4(fb.udp(b""), protocol=17)))
OTHER = Headers(bytes(12) + b"\x88\xb5" + bytes(20))


def test_each_is_called_by_its_kind_and_counted_among_that() -> None:
    census = Census()
    frames = [
        segment(SYN), segment(ACK), segment(ACK, b"a"), segment(ACK), segment(FIN, b"b"),
        segment(RST), segment(SYN_ACK), DATAGRAM, EMPTY, OTHER,
    ]  # fmt: skip
    names = [census.count(f, is_resent=False).name(f, Drop()).words for f in frames]
    assert names == [
        "SYN 1", "ack 1", "data 1", "ack 2", "FIN 1", "RST 1", "SYN-ACK 1", "data 3", "udp 2", "10",
    ]  # fmt: skip


def test_what_changes_places_is_called_by_its_protocol() -> None:
    census = Census()
    frames = [segment(SYN), DATAGRAM, segment(ACK, b"a")]
    names = [census.count(f, is_resent=False).name(f, Swap()).words for f in frames]
    assert names == ["tcp 1", "udp 1", "tcp 2"]


def test_what_was_only_resent_is_counted_apart() -> None:
    census = Census()
    names = [
        census.count(segment(SYN), is_resent=again).name(segment(SYN), Drop()).words
        for again in (False, True, True, False)
    ]
    assert names == ["SYN 1", "SYN retransmission 1", "SYN retransmission 2", "SYN 2"]


def test_a_frame_that_was_changed_is_called_by_what_it_is_now() -> None:
    census = Census()
    census.count(segment(RST), is_resent=False)
    arrival = census.count(segment(ACK, b"a"), is_resent=False)
    assert arrival.name(segment(RST), Drop()).words == "RST 2"
