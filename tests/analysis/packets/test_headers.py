"""One header's bytes, wherever they stand, to one record; the walks have the rest."""

from __future__ import annotations

import struct

import frame_bytes as fb
import pytest

from lab.analysis.packets import headers
from lab.analysis.packets.packet import (
    Arp,
    Cooked,
    Ethernet,
    Fragment,
    Layer,
    Loopback,
    TcpStart,
    Udp,
    Vlan,
)

BEFORE = b"\xaa" * 7
"""What stands before a header: none of it is read."""

TCP = fb.tcp(options=b"\x02\x04\x05\xb4\x01\x03\x03\x07")


@pytest.mark.parametrize("behind", [b"", b"\xff" * 40], ids=["alone", "with more behind it"])
def test_a_header_is_read_where_it_stands_and_no_further(behind: bytes) -> None:
    def at_7(read: str, header: bytes, *more: int) -> Layer:
        found: Layer = getattr(headers, read)(BEFORE + header + behind, 7, *more)
        return found

    ethernet = fb.ethernet(b"", 0x88B5)
    assert at_7("ethernet", ethernet) == Ethernet(
        7, "02:00:00:00:00:02", "02:00:00:00:00:01", 0x88B5
    )
    assert at_7("vlan", b"\xb0\x64\x08\x00") == Vlan(7, 5, True, 100, 0x0800)
    assert at_7("cooked", fb.cooked_v1(b""), 1) == Cooked(
        7, 1, 0, "02:00:00:00:00:01", fb.IPV4, None
    )
    assert at_7("cooked", fb.cooked_v2(b""), 2) == Cooked(7, 2, 0, "02:00:00:00:00:01", fb.IPV4, 3)
    assert at_7("loopback", struct.pack("<I", 30)) == Loopback(7, 30)
    assert at_7("fragment", fb.fragment_header(1480, True, 9, 17)) == Fragment(7, 17, 1480, True, 9)
    assert at_7("tcp_start", TCP[:8]) == TcpStart(7, 40000, 80, 1000)
    udp = fb.udp(b"four")
    checksum = int.from_bytes(udp[6:8], "big")
    found = headers.udp(BEFORE + udp + behind, 7, 4, None)
    assert found == Udp(7, 5000, 5001, 12, checksum, None, 4)


def test_what_the_walk_found_out_is_taken_over_as_it_is() -> None:
    header = fb.ipv4(b"")
    for checksum_ok in (True, False, None):
        found = headers.ipv4(header, 0, ((7, b"\x04"),), checksum_ok)
        assert (found.checksum_ok, found.options) == (checksum_ok, ((7, b"\x04"),))


@pytest.mark.parametrize(
    ("header", "data", "expected"),
    [
        (0, b"\x06\x01", (6, 16)),
        (43, b"\x06\x02\x00\x01", (6, 24)),
        (60, b"\x11\x00", (17, 8)),
        (135, b"\x3b\x01", (59, 16)),
        (51, b"\x06\x04", (6, 24)),  # AH counts words of 4 bytes, less 2 (RFC 4302, 2.2)
    ],
)
def test_an_extension_header_says_how_long_it_is(
    header: int, data: bytes, expected: tuple[int, int]
) -> None:
    assert headers.extension_lengths(BEFORE + data.ljust(8, b"\0"), 7, header) == expected


@pytest.mark.parametrize(
    ("version", "kind", "size"),
    [(4, 8, 8), (4, 13, 20), (4, 17, 12), (4, 255, 8), (6, 1, 8), (6, 137, 40), (6, 200, 4)],
)
def test_an_icmp_header_is_as_long_as_its_type_says(version: int, kind: int, size: int) -> None:
    assert headers.icmp_bytes(version, kind) == size


def test_an_arp_packet_is_as_long_as_its_address_lengths_say() -> None:
    packet = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + fb.MAC_A + fb.V4_A.packed
    packet += bytes(6) + fb.V4_B.packed
    assert headers.arp_bytes(BEFORE + packet, 7) == len(packet) == 28
    assert headers.arp(BEFORE + packet + b"\xff", 7) == Arp(
        7, 1, "02:00:00:00:00:01", fb.V4_A, "00:00:00:00:00:00", fb.V4_B
    )
    long = struct.pack("!HHBBH", 1, 0x0800, 20, 16, 2).ljust(80, b"\0")
    assert headers.arp_bytes(long, 0) == 80


def test_tcp_options_end_where_they_are_said_to() -> None:
    whole, error = headers.tcp(TCP, 0, 28, 0, None)
    assert [option.name for option in whole.options] == ["mss", "nop", "window_scale"]
    assert error is None
    cut, error = headers.tcp(TCP, 0, 26, 0, None)
    assert [option.name for option in cut.options] == ["mss", "nop"]
    assert error is not None and error.offset == 5


def test_a_link_layer_address_option_has_the_address() -> None:
    option = b"\x01\x01" + fb.MAC_B
    assert headers.link_layer_address(BEFORE + option, 7) == "02:00:00:00:00:02"
