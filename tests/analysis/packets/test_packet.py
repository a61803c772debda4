from __future__ import annotations

import frame_bytes as fb
import pytest
from dissected import over_ipv4, over_ipv6, packet

from lab.analysis.packets.packet import Icmp, IPv4, IPv6, Packet, Payload, Udp

REFUSED = over_ipv4(fb.icmp(3, 3, bytes(4), fb.ipv4(fb.udp(b"ask"), 17)[:28]), protocol=1)


def test_a_packets_headers_are_found_by_their_kind() -> None:
    segment = over_ipv6(fb.tcp6(b"hello"))
    assert isinstance(segment.ip, IPv6) and segment.tcp is not None
    assert (segment.udp, segment.icmp, segment.arp) == (None, None, None)
    datagram = over_ipv4(fb.udp(b"hello"), protocol=17)
    assert isinstance(datagram.ip, IPv4) and isinstance(datagram.udp, Udp)
    assert (datagram.tcp, datagram.icmp) == (None, None)
    assert segment.payload == datagram.payload == b"hello"


def test_what_an_error_quotes_is_not_the_packets_own() -> None:
    assert isinstance(REFUSED.icmp, Icmp)
    assert any(isinstance(layer, Udp) for layer in REFUSED.icmp.quoted)
    assert (REFUSED.udp, REFUSED.payload) == (None, b"")


def test_a_packet_of_no_layers_has_nothing() -> None:
    nothing = Packet(REFUSED.frame, ())
    assert (nothing.ip, nothing.tcp, nothing.malformed, nothing.payload) == (None, None, None, b"")


@pytest.mark.parametrize(
    ("kind", "resolves"), [(133, False), (134, False), (135, True), (136, True), (128, False)]
)
def test_neighbour_messages_are_recognised_by_their_type(kind: int, resolves: bool) -> None:
    message = over_ipv6(fb.icmpv6(kind, 0, bytes(36)), next_header=58)
    assert message.icmp is not None
    assert message.resolves_neighbour is resolves


def test_icmp_of_ipv4_resolves_no_neighbour_whatever_its_number() -> None:
    assert not over_ipv4(fb.icmp(135, 0, bytes(20)), protocol=1).resolves_neighbour


def test_arp_resolves_a_neighbour() -> None:
    asks = bytes.fromhex("0001080006040001") + fb.MAC_A + fb.V4_A.packed + bytes(6) + fb.V4_B.packed
    assert packet(fb.ethernet(asks, fb.ARP)).resolves_neighbour


def test_the_first_thing_that_makes_no_sense_is_reported() -> None:
    short = over_ipv4(fb.tcp(data_offset=60))
    assert short.malformed is not None
    assert short.malformed.reason == "data offset is 60 bytes, past the segment's 20"
    assert over_ipv4(fb.tcp()).malformed is None


def test_an_option_is_found_by_its_name() -> None:
    segment = over_ipv4(fb.tcp(options=b"\x02\x04\x05\xb4\x03\x03\x07\x00")).tcp
    assert segment is not None
    assert segment.option("window_scale").value == 7
    assert segment.option("timestamps") is None


def test_a_payload_within_a_frame_is_that_of_its_bytes() -> None:
    part, copy = Payload.within(3, b"a frame", 6), Payload(3, b"ram")
    assert (part, hash(part), repr(part)) == (copy, hash(copy), repr(copy))
    assert part.data == b"ram" and part != Payload(2, b"ram") and part != b"ram"
    match part:
        case Payload(offset=3, data=b"ram"):
            pass
        case _:
            pytest.fail("its fields are those of its pattern")


@pytest.mark.parametrize("start", range(6))
@pytest.mark.parametrize("end", [None, *range(6)])
def test_a_part_of_a_payload_is_a_slice_of_its_bytes(start: int, end: int | None) -> None:
    whole = Payload.within(3, b"a frame", 6)
    part = whole.part(start, end)
    assert (part.data, part.size) == (b"ram"[start:end], len(b"ram"[start:end]))
    assert not part.size or part.offset == 3 + start


def test_all_of_a_payload_is_itself() -> None:
    whole = Payload.within(3, b"a frame", 6)
    assert whole.part(0) is whole
    assert whole.part(0, 9) is whole
