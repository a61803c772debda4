"""Addresses in text."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traced import AF_NETLINK, AF_PACKET, address4, address6, address_un

from lab.analysis.calls.address import (
    address_of,
    address_text,
    family_of,
    socket_address,
    unix_name,
)

LINK_LAYER = struct.pack("<H", AF_PACKET) + struct.pack(">H", 0x0800) + struct.pack(
    "<iHBB8s", 2, 1, 0, 6, bytes.fromhex("020000000001")
)  # fmt: skip
NETLINK = struct.pack("<HHII", AF_NETLINK, 0, 77, 5)


@pytest.mark.parametrize(
    ("data", "text", "place"),
    [
        (address4("198.51.100.2", 4242), "198.51.100.2:4242", "198.51.100.2:4242"),
        (address4("0.0.0.0", 0), "0.0.0.0:0", "0.0.0.0:0"),
        (address4("198.51.100.2", 65535)[:8], "198.51.100.2:65535", "198.51.100.2:65535"),
        (address6("2001:db8::2", 4242), "[2001:db8::2]:4242", "[2001:db8::2]:4242"),
        (address6("::", 53), "[::]:53", "[::]:53"),
        (address6("fe80::1", 53, scope=2), "[fe80::1%2]:53", "[fe80::1]:53"),
        (
            address6("::ffff:198.51.100.2", 4242),
            "[::ffff:198.51.100.2]:4242",
            "198.51.100.2:4242",
        ),
        (address6("2001:db8::2", 4242)[:24], "[2001:db8::2]:4242", "[2001:db8::2]:4242"),
        (address_un("/run/x"), '"/run/x"', "/run/x"),
        (address_un("/run/x")[:-1], '"/run/x"', "/run/x"),
        (address_un("/run/x") + b"left over", '"/run/x"', "/run/x"),
        (address_un("@name"), '"@name"', "@name"),
        (address_un("@name") + b"\0", '"@name\\x00"', "@name\\x00"),
        (address_un(""), "unnamed", ""),
        (b"\1\0/\xff\n", '"/\\xff\\n"', "/\\xff\\n"),
        (b"\1\0/\xc3\xa9", '"/é"', "/é"),
        (LINK_LAYER, "{AF_PACKET, ETH_P_IP, if2, 02:00:00:00:00:01}", ""),
        (NETLINK, "{AF_NETLINK, pid 77, groups 0x5}", ""),
        (b"\0\0" + b"\0" * 14, "AF_UNSPEC", ""),
        (b"\x28\0\1\2", "{AF_VSOCK, 0x0102}", ""),
        (b"\xff\xff\1", "{AF_65535, 0x01}", ""),
        (b"\2", "{0x02}", ""),
        (b"", "{}", ""),
        (address4("198.51.100.2", 4242)[:7], "{AF_INET, 0x1092c63364}", ""),
        (address6("2001:db8::2", 4242)[:3], "{AF_INET6, 0x10}", ""),
    ],
)
def test_an_address_has_a_text_and_a_place(data: bytes, text: str, place: str) -> None:
    assert address_text(data) == text
    assert str(address_of(data) or "") == place


@pytest.mark.parametrize(
    ("address", "port", "place"),
    [
        ("198.51.100.1", 5, "198.51.100.1:5"),
        ("2001:db8::1", 5, "[2001:db8::1]:5"),
        ("198.51.100.1", 0, "198.51.100.1:0"),
        ("::ffff:198.51.100.1", 5, "198.51.100.1:5"),
        ("?", 5, ""),
    ],
)
def test_a_place_is_made_of_an_address_and_a_port(address: str, port: int, place: str) -> None:
    assert str(socket_address(address, port) or "") == place


@given(st.binary(max_size=128))
def test_any_bytes_give_one_line_of_text(data: bytes) -> None:
    for text in (address_text(data), str(address_of(data)), str(unix_name(data))):
        assert text.isprintable()
    assert address_text(data)


@pytest.mark.parametrize(
    "data", [address4("198.51.100.2", 4242), address6("fe80::1", 9), LINK_LAYER, NETLINK]
)
def test_an_address_cut_anywhere_still_has_a_text(data: bytes) -> None:
    for length in range(len(data)):
        assert address_text(data[:length])
        assert (family_of(data[:length]) is None) == (length < 2)
