"""Checksums that fit, as the dissector computes them."""

from __future__ import annotations

import frame_bytes as fb
import pytest

from lab.analysis.packets.dissect import dissect
from lab.records import Direction, Frame
from lab.wire.checksums import fit_checksums
from lab.wire.headers import Headers

FRAMES = {
    "tcp4": fb.ethernet(fb.ipv4(fb.tcp(b"hello"))),
    "tcp4, odd": fb.ethernet(fb.ipv4(fb.tcp(b"abc"))),
    "udp4": fb.ethernet(fb.ipv4(fb.udp(b"hello"), protocol=17)),
    "tcp6": fb.ethernet(fb.ipv6(fb.tcp6(b"hello")), kind=0x86DD),
    "icmp": fb.ethernet(fb.ipv4(fb.icmp(8, 0, bytes(4), b"ping"), protocol=1)),
    "icmpv6": fb.ethernet(fb.ipv6(fb.icmpv6(128, 0, bytes(4)), next_header=58), kind=0x86DD),
}


def wrong_checksums(frame: bytes) -> list[str]:
    packet = dissect(Frame(0, "a/eth0", Direction.OUT, frame, len(frame)))
    return [
        type(layer).__name__
        for layer in packet.layers
        if getattr(layer, "checksum_ok", True) is False
    ]


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_keeps_the_checksums_that_fit_already(name: str) -> None:
    data = bytearray(FRAMES[name])
    fit_checksums(data, Headers(FRAMES[name]), transport=True)
    assert bytes(data) == FRAMES[name]


@pytest.mark.parametrize("name", FRAMES)
def test_a_changed_frame_gets_checksums_that_fit(name: str) -> None:
    data = bytearray(FRAMES[name])
    data[-1] ^= 0xFF
    assert wrong_checksums(bytes(data))
    fit_checksums(data, Headers(bytes(data)), transport=True)
    assert wrong_checksums(bytes(data)) == []


def test_a_udp_checksum_of_zero_over_ipv4_stays() -> None:
    frame = fb.ethernet(fb.ipv4(fb.udp(b"hello", checksum=0), protocol=17))
    data = bytearray(frame)
    fit_checksums(data, Headers(frame), transport=True)
    assert bytes(data) == frame
