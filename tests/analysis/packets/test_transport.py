from __future__ import annotations

import struct

import frame_bytes as fb
import pytest
from dissected import DATA, malformed, names, over_ipv4, over_ipv6, packet

from lab.analysis.packets.packet import (
    Malformed,
    Payload,
    Tcp,
    TcpFlags,
    TcpOption,
    TcpStart,
    Udp,
    UdpStart,
)

# TCP


def test_every_tcp_field_is_read() -> None:
    segment = struct.pack("!HHIIHHHH", 1, 2, 0xFFFFFFFF, 5, 0x51FF, 77, 0, 9) + DATA
    pseudo = fb.pseudo_header(fb.V4_A, fb.V4_B, 6, len(segment))
    checksum = fb.internet_checksum(pseudo + segment)
    given = over_ipv4(segment[:16] + struct.pack("!H", checksum) + segment[18:])
    assert given.tcp == Tcp(
        offset=34,
        source_port=1,
        destination_port=2,
        seq=0xFFFFFFFF,
        ack=5,
        header_bytes=20,
        flags=TcpFlags(0x1FF),
        window=77,
        checksum=checksum,
        checksum_ok=True,
        urgent_pointer=9,
        options=(),
        payload_bytes=12,
    )
    assert given.layers[-1] == Payload(54, DATA)


def test_reserved_tcp_bits_are_kept() -> None:
    assert over_ipv4(fb.tcp(flags=0xE12)).tcp.flags == 0xE12


@pytest.mark.parametrize("size", [0, 1, 2, 3, 11, 12])
def test_tcp_checksum_is_computed_over_any_length(size: int) -> None:
    for segment, over in ((fb.tcp, over_ipv4), (fb.tcp6, over_ipv6)):
        good = segment(DATA[:size])
        assert over(good).tcp.checksum_ok is True
        bad = bytearray(good)
        bad[4] ^= 0x10
        assert over(bytes(bad)).tcp.checksum_ok is False


def test_syn_options_are_decoded() -> None:
    options = bytes.fromhex("020405b4 0402 080a0000000100000002 01 030307".replace(" ", ""))
    assert over_ipv4(fb.tcp(options=options)).tcp.options == (
        TcpOption(2, "mss", 1460),
        TcpOption(4, "sack_permitted", None),
        TcpOption(8, "timestamps", (1, 2)),
        TcpOption(1, "nop", None),
        TcpOption(3, "window_scale", 7),
    )


def test_sack_blocks_are_a_flat_tuple() -> None:
    options = b"\1\1\5\x12" + struct.pack("!4I", 10, 20, 30, 40)
    assert over_ipv4(fb.tcp(options=options)).tcp.option("sack").value == (10, 20, 30, 40)


@pytest.mark.parametrize(
    ("kind", "name", "data"),
    [
        (14, "alternate_checksum_request", b"\1"),
        (19, "md5_signature", bytes(range(16))),
        (28, "user_timeout", b"\x80\x05"),
        (29, "authentication", b"\1\2" + bytes(12)),
        (29, "authentication", b""),
        (30, "multipath_tcp", bytes(10)),
        (34, "fast_open_cookie", b"cookie12"),
        (34, "fast_open_cookie", b""),
        (69, "encryption_negotiation", b"\1"),
        (253, "experiment_1", b"\xf9\x89"),
        (200, "kind_200", b"odd"),
    ],
)
def test_other_options_keep_their_bytes(kind: int, name: str, data: bytes) -> None:
    raw = bytes([kind, 2 + len(data)]) + data + b"\2\4\5\xb4"
    raw += b"\0" * (-len(raw) % 4)
    tcp = over_ipv4(fb.tcp(DATA, options=raw)).tcp
    assert tcp.options[0] == TcpOption(kind, name, data)
    assert tcp.option("mss").value == 1460


def test_what_follows_the_end_of_options_is_padding() -> None:
    tcp = over_ipv4(fb.tcp(options=b"\0\2\0\0")).tcp
    assert tcp.options == (TcpOption(0, "end", None),)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"\2\0\5\xb4", "option 2 has length 0, below 2"),
        (b"\2\1\5\xb4", "option 2 has length 1, below 2"),
        (b"\2\x0a\5\xb4", "option 2 has length 10, past the options' end"),
        (b"\1\1\1\x08", "option 8 has no length byte"),
        (b"\2\3\5\0", "option 2 (mss) has length 3"),
        (b"\3\4\5\0", "option 3 (window_scale) has length 4"),
        (b"\4\3\5\0", "option 4 (sack_permitted) has length 3"),
        (b"\5\2\1\1", "option 5 (sack) has length 2"),
        (b"\5\6" + bytes(4) + b"\1\1", "option 5 (sack) has length 6"),
        (b"\x08\x08" + bytes(6), "option 8 (timestamps) has length 8"),
    ],
)
def test_unreadable_tcp_option_ends_the_options_and_not_the_segment(
    bad: bytes, reason: str
) -> None:
    given = over_ipv4(fb.tcp(DATA, options=b"\3\3\7\1" + bad))
    assert names(given) == ["Ethernet", "IPv4", "Tcp", "Malformed", "Payload"]
    assert malformed(given).reason == reason
    assert malformed(given).offset == 34 + 24 + (3 if bad.startswith(b"\1") else 0)
    assert given.tcp.option("window_scale").value == 7
    assert {option.name for option in given.tcp.options} == {"window_scale", "nop"}
    assert (given.payload, given.tcp.payload_bytes) == (DATA, 12)


@pytest.mark.parametrize("size", [0, 16])
def test_tcp_data_offset_below_5_words_is_no_segment(size: int) -> None:
    given = over_ipv4(fb.tcp(DATA, data_offset=size))
    assert given.layers[2:] == (Malformed(34, "TCP", f"data offset is {size} bytes, below 20"),)


def test_tcp_data_offset_past_the_segment_is_reported_after_the_header() -> None:
    given = over_ipv4(fb.tcp(b"\1\1\1\1", data_offset=60))
    assert names(given) == ["Ethernet", "IPv4", "Tcp", "Malformed"]
    assert malformed(given).reason == "data offset is 60 bytes, past the segment's 24"
    assert given.tcp.payload_bytes == 0


@pytest.mark.parametrize("size", range(20))
def test_tcp_header_shorter_than_20_bytes_is_malformed(size: int) -> None:
    given = over_ipv4(fb.tcp()[:size])
    start = (TcpStart(34, 40000, 80, 1000 if size >= 8 else None),) if size >= 4 else ()
    assert given.layers[2:] == (
        *start,
        Malformed(34, "TCP", f"needs 20 bytes, has {size}"),
    )


# UDP


@pytest.mark.parametrize("size", range(8))
def test_udp_header_shorter_than_8_bytes_is_malformed_after_its_ports(size: int) -> None:
    given = over_ipv4(fb.udp()[:size], protocol=17)
    start = (UdpStart(34, 5000, 5001),) if size >= 4 else ()
    assert given.layers[2:] == (*start, Malformed(34, "UDP", f"needs 8 bytes, has {size}"))


def test_a_udp_length_of_0_is_an_error_but_in_jumbograms() -> None:
    given = over_ipv4(struct.pack("!HHHH", 1, 2, 0, 0) + DATA, protocol=17)
    assert malformed(given).reason == "length is 0, below 8"
    whole = struct.pack("!HHHH", 1, 2, 0, 0) + bytes(70000)
    options = b"\x11\0\xc2\4" + struct.pack("!I", 8 + len(whole))
    jumbo = packet(fb.ethernet(fb.ipv6(options + whole, 0, length=0), fb.IPV6))
    assert jumbo.udp is not None
    assert (jumbo.udp.payload_bytes, jumbo.payload) == (70000, bytes(70000))


def test_udp_datagram_is_read() -> None:
    given = over_ipv4(fb.udp(DATA), protocol=17)
    checksum = struct.unpack("!H", fb.udp(DATA)[6:8])[0]
    assert given.udp == Udp(34, 5000, 5001, 20, checksum, True, 12)
    assert given.layers[-1] == Payload(42, DATA)


def test_udp_over_ipv4_may_have_no_checksum() -> None:
    assert over_ipv4(fb.udp(DATA, checksum=0), protocol=17).udp.checksum_ok is None


def test_udp_over_ipv6_must_have_a_checksum() -> None:
    datagram = fb.udp(DATA, source=fb.V6_A, destination=fb.V6_B)
    assert over_ipv6(datagram, 17).udp.checksum_ok is True
    assert over_ipv6(fb.udp(DATA, checksum=0), 17).udp.checksum_ok is False


def test_wrong_udp_checksum_is_reported() -> None:
    assert over_ipv4(fb.udp(DATA, checksum=1), protocol=17).udp.checksum_ok is False


@pytest.mark.parametrize("length", [0, 7])
def test_udp_length_below_its_header_is_malformed(length: int) -> None:
    given = over_ipv4(fb.udp(DATA, length=length), protocol=17)
    assert given.layers[2:] == (Malformed(34, "UDP", f"length is {length}, below 8"),)


def test_udp_length_past_the_packet_is_reported_and_what_is_there_kept() -> None:
    given = over_ipv4(fb.udp(DATA, length=99), protocol=17)
    assert names(given)[2:] == ["Udp", "Malformed", "Payload"]
    assert (given.udp.length, given.udp.payload_bytes) == (99, 12)
    assert given.udp.checksum_ok is None


def test_bytes_past_the_udp_length_are_not_payload() -> None:
    given = over_ipv4(fb.udp(DATA) + b"more", protocol=17)
    assert given.payload == DATA
    assert given.udp.checksum_ok is True
