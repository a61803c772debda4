"""Where the headers of a frame are: IPv4, IPv6, VLANs, fragments, cut frames."""

from __future__ import annotations

import frame_bytes as fb
import pytest

from lab.wire.headers import ACK, FIN, SYN, TCP, UDP, Headers


def test_a_segment_over_ipv4() -> None:
    headers = Headers(fb.ethernet(fb.ipv4(fb.tcp(b"hello", seq=7, flags=SYN | ACK))))
    assert (headers.version, headers.protocol, headers.flags) == (4, TCP, SYN | ACK)
    assert (headers.ip, headers.transport, headers.payload) == (14, 34, 54)
    assert (headers.seq, headers.payload_bytes, headers.sequence_bytes) == (7, 5, 6)
    assert headers.ports == (40000, 80)


def test_a_segment_over_ipv6() -> None:
    segment = fb.tcp6(b"hello", seq=9)
    headers = Headers(fb.ethernet(fb.ipv6(segment), kind=0x86DD))
    assert (headers.version, headers.protocol, headers.transport) == (6, TCP, 54)
    assert (headers.seq, headers.payload_bytes) == (9, 5)


def test_padding_is_no_payload() -> None:
    frame = fb.ethernet(fb.ipv4(fb.tcp(b"", flags=ACK))) + bytes(6)
    assert Headers(frame).payload_bytes == 0


def test_options_are_no_payload() -> None:
    segment = fb.tcp(b"xy", options=bytes((2, 4, 5, 180)))
    assert Headers(fb.ethernet(fb.ipv4(segment))).payload_bytes == 2


def test_a_tagged_frame() -> None:
    frame = fb.ethernet(fb.ipv4(fb.udp(b"abc"), protocol=17), tags=((0x8100, 5),))
    headers = Headers(frame)
    assert (headers.version, headers.protocol, headers.payload_bytes) == (4, UDP, 3)


def test_only_the_first_fragment_has_ports() -> None:
    datagram = fb.udp(bytes(64))
    first = Headers(fb.ethernet(fb.ipv4(datagram[:32], protocol=17, flags=1)))
    second = Headers(fb.ethernet(fb.ipv4(datagram[32:], protocol=17, flags=0, offset=32)))
    assert (first.is_fragment, first.ports is not None) == (True, True)
    assert (second.is_fragment, second.ports) == (True, None)


def test_a_fragment_over_ipv6() -> None:
    rest = fb.fragment_header(0, more=True) + fb.tcp6(b"x")
    headers = Headers(fb.ethernet(fb.ipv6(rest, next_header=44), kind=0x86DD))
    assert (headers.is_fragment, headers.protocol, headers.ports) == (True, TCP, (40000, 80))


def test_a_segment_takes_a_number_for_its_syn_and_its_fin() -> None:
    for flags, count in ((ACK, 0), (SYN, 1), (FIN | ACK, 1)):
        headers = Headers(fb.ethernet(fb.ipv4(fb.tcp(b"", flags=flags))))
        assert headers.sequence_bytes == count


@pytest.mark.parametrize("length", range(60))
def test_a_frame_cut_anywhere_is_read_as_far_as_it_goes(length: int) -> None:
    for whole in (
        fb.ethernet(fb.ipv4(fb.tcp(b"hello"))),
        fb.ethernet(fb.ipv6(fb.tcp6(b"hello")), kind=0x86DD),
        fb.ethernet(fb.ipv6(fb.fragment_header(0, more=True), next_header=44), kind=0x86DD),
    ):
        headers = Headers(whole[:length])
        assert headers.payload_bytes <= max(0, length - max(headers.payload, 0))
