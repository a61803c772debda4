"""Values of socket options and control messages in text."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traced import rights

from lab.analysis.calls.option_text import control_text, level_text, option_text, value_text

ONE = struct.pack("<i", 1)
SOCKET, IP, TCP, UDP, IPV6 = 1, 0, 6, 17, 41


@pytest.mark.parametrize(
    ("level", "option", "names"),
    [
        (SOCKET, 2, "SOL_SOCKET SO_REUSEADDR"),
        (TCP, 1, "IPPROTO_TCP TCP_NODELAY"),
        (IP, 2, "IPPROTO_IP IP_TTL"),
        (IP, 42, "IPPROTO_IP MCAST_JOIN_GROUP"),
        (IPV6, 26, "IPPROTO_IPV6 IPV6_V6ONLY"),
        (UDP, 103, "IPPROTO_UDP UDP_SEGMENT"),
        (263, 18, "SOL_PACKET PACKET_FANOUT"),
        (270, 11, "SOL_NETLINK NETLINK_EXT_ACK"),
        (SOCKET, 9999, "SOL_SOCKET 9999"),
        (9999, 1, "9999 1"),
    ],
)
def test_options_have_names_by_level(level: int, option: int, names: str) -> None:
    assert f"{level_text(level)} {option_text(level, option)}" == names


@pytest.mark.parametrize(
    ("level", "option", "data", "text"),
    [
        (SOCKET, 2, ONE, "[1]"),
        (SOCKET, 7, struct.pack("<i", 212992), "[212992]"),
        (SOCKET, 13, struct.pack("<ii", 1, 5), "{onoff=1, linger=5}"),
        (SOCKET, 20, struct.pack("<qq", 1, 500000), "{sec=1, usec=500000}"),
        (SOCKET, 17, struct.pack("<iII", 77, 0, 65534), "{pid=77, uid=0, gid=65534}"),
        (SOCKET, 3, ONE, "[SOCK_STREAM]"),
        (SOCKET, 39, struct.pack("<i", 10), "[AF_INET6]"),
        (SOCKET, 38, struct.pack("<i", 6), "[IPPROTO_TCP]"),
        (SOCKET, 4, struct.pack("<i", 111), "[ECONNREFUSED]"),
        (SOCKET, 4, bytes(4), "[0]"),
        (SOCKET, 25, b"eth0\0", "'eth0'"),
        (TCP, 13, b"cubic\0\0\0", "'cubic'"),
        (TCP, 11, b"\1" + bytes(100), "{state=TCP_ESTABLISHED, ...}"),
        (TCP, 11, b"\x63", "{state=99, ...}"),
        (IP, 33, b"\7", "[7]"),
        (IP, 32, bytes([198, 51, 100, 1]), "[198.51.100.1]"),
        (IP, 35, bytes([224, 0, 0, 9, 0, 0, 0, 0]), "{multiaddr=224.0.0.9, interface=0.0.0.0}"),
        (IPV6, 26, ONE, "[1]"),
        (SOCKET, 2, struct.pack("<i", -1), "[-1]"),
        (SOCKET, 13, ONE, "[1]"),
        (SOCKET, 26, bytes(range(16)), "0x000102030405060708090a0b0c0d0e0f"),
        (SOCKET, 26, bytes(range(17)), "0x000102030405060708090a0b0c0d0e0f..."),
        (9999, 1, b"", "''"),
    ],
)
def test_values_are_shown_as_what_they_are(level: int, option: int, data: bytes, text: str) -> None:
    assert value_text(level, option, data) == text


CREDENTIALS = struct.pack("<QiiiII4x", 28, 1, 2, 77, 0, 0)
TTL = struct.pack("<Qiii4x", 20, 0, 2, 64)


@pytest.mark.parametrize(
    ("control", "text"),
    [
        (b"", ""),
        (rights(5), "SCM_RIGHTS [5]"),
        (rights(5, 6), "SCM_RIGHTS [5, 6]"),
        (CREDENTIALS, "SCM_CREDENTIALS {pid=77, uid=0, gid=0}"),
        (TTL, "IPPROTO_IP IP_TTL [64]"),
        (rights(5) + TTL, "SCM_RIGHTS [5], IPPROTO_IP IP_TTL [64]"),
        (rights(5)[:8], ""),
    ],
)
def test_control_messages_are_shown(control: bytes, text: str) -> None:
    assert control_text(control) == text


@given(
    st.sampled_from([SOCKET, IP, TCP, IPV6]) | st.integers(0, 2**32 - 1),
    st.integers(0, 80) | st.integers(0, 2**32 - 1),
    st.binary(max_size=128),
)
def test_any_value_gives_one_line_of_text(level: int, option: int, data: bytes) -> None:
    assert value_text(level, option, data).isprintable()
    assert value_text(level, option, data)
    assert control_text(data).isprintable()


@pytest.mark.parametrize(
    ("level", "option", "number", "text"),
    [
        (IP, 10, 2, "[IP_PMTUDISC_DO]"),
        (IP, 10, 0, "[IP_PMTUDISC_DONT]"),
        (IPV6, 23, 3, "[IPV6_PMTUDISC_PROBE]"),
        (IP, 10, 77, "[77]"),
    ],
)
def test_how_path_mtu_is_discovered_is_shown_by_name(
    level: int, option: int, number: int, text: str
) -> None:
    assert value_text(level, option, struct.pack("<i", number)) == text
