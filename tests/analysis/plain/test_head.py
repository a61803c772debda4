"""What is known of a plain frame without its packet is what its packet says."""

from __future__ import annotations

from pathlib import Path

import frame_bytes as fb
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.packets.packet import IPv4, Packet
from lab.analysis.plain.decode import PlainDecoder
from lab.analysis.plain.head import PlainHead
from lab.pcap.capture_file import read_frames
from lab.records import Direction, Frame

TESTS = Path(__file__).parents[2]
RECORDINGS = sorted((TESTS / "recordings").glob("*/recording.pcapng"))
OPTIONS = {
    "none": b"",
    "SYN": bytes.fromhex("020405b40402080a000000010000000001030307"),
    "timestamps": bytes.fromhex("0101080a0000000100000002"),
    "SACK": bytes.fromhex("0101050a0000000100000002"),
    "SACK behind timestamps": bytes.fromhex("0101080a00000001000000020101050a0000000100000002"),
    "no length": bytes.fromhex("01010108"),
}


def frame(data: bytes, more: int = 0) -> Frame:
    return Frame(1, "client/eth0", Direction.OUT, data, len(data) + more)


def expected(packet: Packet | None) -> PlainHead | None:
    """The same of a packet that is plain."""
    if packet is None:
        return None
    ip, tcp, udp, carried = packet.ip, packet.tcp, packet.udp, packet.carried
    header = tcp or udp
    if ip is None or header is None:
        return None
    ports = header.source_port.to_bytes(2, "big") + header.destination_port.to_bytes(2, "big")
    protocol = b"\x11" if tcp is None else b"\x06"
    begin = header.offset + (8 if tcp is None else tcp.header_bytes)
    there = 0 if carried is None else carried.size
    is_whole = len(packet.frame.data) == packet.frame.wire_bytes
    assert there == min(header.payload_bytes, len(packet.frame.data) - begin)
    return PlainHead(
        protocol + ip.source.packed + ip.destination.packed + ports,
        (2 if isinstance(ip, IPv4) else 1) if is_whole else 0,
        begin,
        header.payload_bytes,
        *((0, 0, 0, 0) if tcp is None else (tcp.seq, tcp.ack, int(tcp.flags), tcp.window)),
        tcp is not None and tcp.option("sack") is not None,
    )


def assert_agree(decoder: PlainDecoder, each: Frame) -> bool:
    """That both say the same; whether they say anything."""
    head = decoder.head(each.data, each.wire_bytes)
    assert head == expected(decoder.decode(each))
    return head is not None


def test_it_is_what_the_packets_of_recorded_frames_say() -> None:
    decoder = PlainDecoder()
    seen = {each.data: each for path in RECORDINGS for each in read_frames(path)}
    known = sum(assert_agree(decoder, each) for each in seen.values())
    assert 500 < known < len(seen)


def made(options: bytes, data: bytes) -> list[bytes]:
    """Frames of TCP and UDP over both families."""
    segment = fb.tcp(data, options=options, source=fb.V6_A, destination=fb.V6_B)
    datagram = fb.udp(data, source=fb.V6_A, destination=fb.V6_B)
    return [
        fb.ethernet(fb.ipv4(fb.tcp(data, options=options, flags=0x1C2))),
        fb.ethernet(fb.ipv6(segment), fb.IPV6),
        fb.ethernet(fb.ipv4(fb.udp(data), 17) + b"padding of the link"),
        fb.ethernet(fb.ipv6(datagram, 17) + b"padding", fb.IPV6),
    ]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("data", [b"", b"hello"])
def test_it_is_what_packets_say_of_made_frames_also_of_those_that_were_cut(
    options: str, data: bytes
) -> None:
    decoder = PlainDecoder()
    for each in made(OPTIONS[options], data):
        is_readable = options != "no length" or each in made(b"", data)
        assert assert_agree(decoder, frame(each)) == is_readable
        head = decoder.head(each, len(each))
        for cut in range(len(each)):
            assert_agree(decoder, frame(each[:cut]))
            is_known = head is not None and cut >= head.begin
            assert assert_agree(decoder, frame(each[:cut], len(each) - cut)) == is_known


@examples(100)
@given(
    st.sampled_from(sorted(OPTIONS)),
    st.integers(0, 3),
    st.integers(0, 1 << 12),
    st.sampled_from([0, 1, 4, 7, 20]),
)
def test_of_a_frame_with_a_wrong_bit_both_say_the_same(
    options: str, which: int, bit: int, cut: int
) -> None:
    data = bytearray(made(OPTIONS[options], b"hello")[which])
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    assert_agree(PlainDecoder(), frame(bytes(data)))
    assert_agree(PlainDecoder(), frame(bytes(data[: len(data) - cut]), cut))
