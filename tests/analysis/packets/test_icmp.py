from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import frame_bytes as fb
import pytest
from dissected import DATA, malformed, names, over_ipv4, over_ipv6

from lab.analysis.packets.packet import (
    Icmp,
    IPv4,
    IPv6,
    Malformed,
    Payload,
    Tcp,
    TcpStart,
    Udp,
)

# ICMP


def test_echo_request_is_read() -> None:
    given = over_ipv4(fb.icmp(8, 0, b"\x12\x34\0\5", b"ping"), protocol=1)
    icmp = given.icmp
    assert (icmp.version, icmp.type, icmp.code, icmp.checksum_ok) == (4, 8, 0, True)
    assert (icmp.identifier, icmp.sequence) == (0x1234, 5)
    assert (icmp.mtu, icmp.target, icmp.link_layer, icmp.quoted) == (None, None, None, ())
    assert given.layers[-1] == Payload(42, b"ping")


def test_wrong_icmp_checksum_is_reported() -> None:
    message = bytearray(fb.icmp(8, 0, b"\x12\x34\0\5", b"ping"))
    message[-1] ^= 1
    assert over_ipv4(bytes(message), protocol=1).icmp.checksum_ok is False


def test_port_unreachable_quotes_the_datagram() -> None:
    quoted = fb.ipv4(fb.udp(DATA), 17)
    icmp = over_ipv4(fb.icmp(3, 3, bytes(4), quoted), protocol=1).icmp
    assert [type(layer) for layer in icmp.quoted] == [IPv4, Udp, Payload]
    assert icmp.quoted[0].offset == 42
    assert icmp.quoted[1].destination_port == 5001
    assert icmp.quoted[0].checksum_ok is icmp.quoted[1].checksum_ok is None


def test_quoted_segment_is_not_the_packets_own() -> None:
    given = over_ipv4(fb.icmp(3, 1, bytes(4), fb.ipv4(fb.tcp(DATA))), protocol=1)
    assert given.tcp is None
    assert given.payload == b""
    assert names(given) == ["Ethernet", "IPv4", "Icmp"]


def test_shortest_quote_still_shows_the_ports() -> None:
    quoted = fb.ipv4(fb.tcp(DATA))[:28]
    icmp = over_ipv4(fb.icmp(11, 0, bytes(4), quoted), protocol=1).icmp
    assert icmp.quoted[1] == TcpStart(62, 40000, 80, 1000)
    assert icmp.quoted[2].truncated is True


def test_quoted_first_fragment_shows_the_ports() -> None:
    quoted = fb.ipv4(fb.udp(DATA)[:16], 17, flags=1)
    icmp = over_ipv4(fb.icmp(11, 1, bytes(4), quoted), protocol=1).icmp
    assert icmp.quoted[1].source_port == 5000


def test_fragmentation_needed_shows_the_mtu() -> None:
    given = over_ipv4(fb.icmp(3, 4, struct.pack("!HH", 0, 1400), fb.ipv4(fb.tcp())), protocol=1)
    assert given.icmp.mtu == 1400
    other = over_ipv4(fb.icmp(3, 1, struct.pack("!HH", 0, 1400), fb.ipv4(fb.tcp())), protocol=1)
    assert other.icmp.mtu is None


def test_redirect_shows_the_gateway() -> None:
    gateway = IPv4Address("192.0.2.254")
    given = over_ipv4(fb.icmp(5, 1, gateway.packed, fb.ipv4(fb.tcp())), protocol=1)
    assert given.icmp.target == gateway
    assert isinstance(given.icmp.quoted[1], Tcp)


def test_error_about_an_error_is_quoted_once() -> None:
    inner = fb.ipv4(fb.icmp(3, 1, bytes(4), fb.ipv4(fb.tcp(DATA))), 1)
    icmp = over_ipv4(fb.icmp(11, 0, bytes(4), inner), protocol=1).icmp
    assert [type(layer) for layer in icmp.quoted] == [IPv4, Icmp, Payload]
    assert icmp.quoted[1].quoted == ()


@pytest.mark.parametrize(("kind", "needs"), [(8, 8), (13, 20), (17, 12)])
def test_short_icmp_header_is_malformed(kind: int, needs: int) -> None:
    given = over_ipv4(fb.icmp(kind, 0, bytes(3)), protocol=1)
    assert malformed(given) == Malformed(34, "ICMP", f"needs {needs} bytes, has 7")


def test_timestamp_request_has_identifier_and_sequence() -> None:
    given = over_ipv4(fb.icmp(13, 0, b"\0\1\0\2" + bytes(12)), protocol=1)
    assert (given.icmp.identifier, given.icmp.sequence) == (1, 2)


# ICMPv6


TARGET = IPv6Address("fe80::1:2")
LINK_LAYER = "02:00:00:00:00:01"


def option(kind: int) -> bytes:
    return bytes([kind, 1]) + fb.MAC_A


@pytest.mark.parametrize(
    ("kind", "body", "target"),
    [
        (133, bytes(4), None),
        (134, bytes(12), None),
        (135, bytes(4) + TARGET.packed, TARGET),
        (136, b"\x60\0\0\0" + TARGET.packed, TARGET),
        (137, bytes(4) + TARGET.packed + fb.V6_B.packed, TARGET),
    ],
)
def test_neighbour_discovery_is_read(kind: int, body: bytes, target: IPv6Address | None) -> None:
    # An option the lab does not know, of 16 bytes, comes first.
    options = bytes([14, 2]) + bytes(14) + option(2 if kind > 135 else 1)
    given = over_ipv6(fb.icmpv6(kind, 0, body + options), 58)
    assert names(given) == ["Ethernet", "IPv6", "Icmp"]
    assert (given.icmp.version, given.icmp.type, given.icmp.checksum_ok) == (6, kind, True)
    assert (given.icmp.target, given.icmp.link_layer) == (target, LINK_LAYER)


def test_redirected_packet_is_quoted() -> None:
    quoted = fb.ipv6(fb.udp(DATA), 17)
    quoted += bytes(-len(quoted) % 8)
    options = bytes([4, 1 + len(quoted) // 8]) + bytes(6) + quoted
    body = bytes(4) + TARGET.packed + fb.V6_B.packed + options
    icmp = over_ipv6(fb.icmpv6(137, 0, body), 58).icmp
    assert [type(layer) for layer in icmp.quoted] == [IPv6, Udp, Payload]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (b"\1\0" + fb.MAC_A, "option 1 has length 0"),
        (b"\1\2" + fb.MAC_A, "needs 16 bytes, has 8"),
        (b"\1", "needs 2 bytes, has 1"),
    ],
)
def test_unreadable_neighbour_discovery_option_is_reported(options: bytes, reason: str) -> None:
    given = over_ipv6(fb.icmpv6(135, 0, bytes(4) + TARGET.packed + options), 58)
    assert names(given) == ["Ethernet", "IPv6", "Icmp", "Malformed"]
    assert malformed(given).reason == reason
    assert given.icmp.target == TARGET


def test_icmpv6_echo_is_read() -> None:
    given = over_ipv6(fb.icmpv6(129, 0, b"\0\7\0\1pong"), 58)
    assert (given.icmp.identifier, given.icmp.sequence) == (7, 1)
    assert given.payload == b"pong"


def test_packet_too_big_shows_the_mtu_and_quotes() -> None:
    body = struct.pack("!I", 1280) + fb.ipv6(fb.tcp6(DATA))
    icmp = over_ipv6(fb.icmpv6(2, 0, body), 58).icmp
    assert icmp.mtu == 1280
    assert [type(layer) for layer in icmp.quoted] == [IPv6, Tcp, Payload]


@pytest.mark.parametrize("kind", [1, 3, 4])
def test_icmpv6_errors_quote(kind: int) -> None:
    icmp = over_ipv6(fb.icmpv6(kind, 0, bytes(4) + fb.ipv6(fb.tcp6(DATA))[:48]), 58).icmp
    assert [type(layer) for layer in icmp.quoted] == [IPv6, TcpStart, Malformed]
    assert icmp.mtu is None


def test_other_icmpv6_messages_are_payload_after_the_header() -> None:
    given = over_ipv6(fb.icmpv6(143, 0, bytes(8)), 58)
    assert given.icmp.checksum_ok is True
    assert given.layers[-1] == Payload(58, bytes(8))


def test_error_that_quotes_nothing_has_no_quotation() -> None:
    assert over_ipv6(fb.icmpv6(1, 0, bytes(4)), 58).icmp.quoted == ()
