"""Addresses and sockets that are not of the kind that a call takes; and what is near to that."""

from __future__ import annotations

import struct
from dataclasses import replace
from ipaddress import ip_address

import pytest
import trace_edits as t
from failed_call import attempted, found, sockaddr

from lab.records import Memory, Syscall

EINVAL, ENODEV, EPROTONOSUPPORT, EOPNOTSUPP, EAFNOSUPPORT = 22, 19, 93, 95, 97
FOUR, SIX, UNIX, DGRAM, STREAM = 2, 10, 1, 2, 1
NAMES = {
    *("address-of-another-family", "scope-missing", "bound-already", "address-too-short"),
    *("bound-to-loopback", "not-listening", "no-connections", "type-and-protocol"),
    "group-without-interface",
}


@pytest.mark.parametrize(
    ("name", "errno", "domain", "address", "is_met"),
    [
        ("connect", EINVAL, SIX, "198.51.100.2", True),
        ("bind", EINVAL, SIX, "198.51.100.2", True),
        ("bind", EAFNOSUPPORT, FOUR, "::", True),
        ("connect", EAFNOSUPPORT, FOUR, "2001:db8::2", True),
        ("connect", EAFNOSUPPORT, UNIX, "198.51.100.2", True),
        ("connect", EAFNOSUPPORT, FOUR, "198.51.100.2", False),
        ("connect", EINVAL, SIX, "2001:db8::2", False),
    ],
)
def test_an_address_of_another_family(
    name: str, errno: int, domain: int, address: str, is_met: bool
) -> None:
    memory = sockaddr(address, 80)
    run = attempted(name, errno, (90, 1, memory.length), memory, kind=(domain, STREAM, 0))
    assert ("address-of-another-family" in found(run)) is is_met


@pytest.mark.parametrize(
    ("address", "scope", "is_met"),
    [("fe80::1", 0, True), ("fe80::1", 2, False), ("2001:db8::1", 0, False)],
)
def test_a_link_local_address_needs_an_interface(address: str, scope: int, is_met: bool) -> None:
    run = attempted(
        "connect", EINVAL, (90, 1, 28), sockaddr(address, 80, scope), kind=(SIX, STREAM, 0)
    )
    assert ("scope-missing" in found(run)) is is_met


@pytest.mark.parametrize(("before", "is_met"), [(("bind",), True), ((), False)])
def test_a_socket_is_bound_once(before: tuple[str, ...], is_met: bool) -> None:
    run = attempted("bind", EINVAL, memory=sockaddr("0.0.0.0", 0), before=before)
    assert ("bound-already" in found(run)) is is_met


@pytest.mark.parametrize(("length", "is_met"), [(4, True), (15, True), (16, False)])
def test_an_address_has_a_length(length: int, is_met: bool) -> None:
    run = attempted("bind", EINVAL, (90, 1, length), sockaddr("0.0.0.0", 0))
    assert ("address-too-short" in found(run)) is is_met


@pytest.mark.parametrize(
    ("before", "is_met"), [((), True), (("listen",), False)]
)  # fmt: skip
def test_who_accepts_must_listen(before: tuple[str, ...], is_met: bool) -> None:
    run = attempted("accept4", EINVAL, (90, 0, 0, 0), before=before)
    assert ("not-listening" in found(run)) is is_met


@pytest.mark.parametrize(("kind", "is_met"), [(DGRAM, True), (STREAM, False)])
def test_datagrams_have_no_connections(kind: int, is_met: bool) -> None:
    run = attempted("listen", EOPNOTSUPP, (90, 1), kind=(FOUR, kind, 0))
    assert ("no-connections" in found(run)) is is_met


@pytest.mark.parametrize(
    ("kind", "protocol", "is_met"), [(STREAM, 17, True), (DGRAM, 6, True), (STREAM, 0, False)]
)
def test_a_type_goes_with_its_protocols(kind: int, protocol: int, is_met: bool) -> None:
    run = attempted("socket", EPROTONOSUPPORT, (FOUR, kind, protocol))
    assert ("type-and-protocol" in found(run)) is is_met


def mreq(group: str, on: str) -> Memory:
    data = ip_address(group).packed + ip_address(on).packed
    return Memory(3, "", False, data, len(data))


@pytest.mark.parametrize(
    ("level", "option", "memory", "text"),
    [
        (0, 35, mreq("239.1.2.3", "0.0.0.0"), "names no interface for that, and client has no"),
        (0, 35, mreq("239.1.2.3", "203.0.113.9"), "on 203.0.113.9, and client has no such"),
        (
            41,
            20,
            Memory(3, "", False, ip_address("ff15::1").packed + struct.pack("<I", 9), 20),
            "on the interface 9, and client has no such interface",
        ),
        (0, 33, mreq("239.1.2.3", "0.0.0.0"), ""),
    ],
)
def test_a_group_is_joined_on_an_interface(
    level: int, option: int, memory: Memory, text: str
) -> None:
    run = attempted("setsockopt", ENODEV, (90, level, option, 1, memory.length), memory)
    causes = found(run)
    assert ("group-without-interface" in causes) is bool(text)
    if text:
        assert text in causes["group-without-interface"].text


@pytest.mark.parametrize(
    ("address", "is_met"), [("198.51.100.2", True), ("127.0.0.2", False)]
)  # fmt: skip
def test_from_loopback_nobody_else_is_reached(address: str, is_met: bool) -> None:
    run = attempted("connect", EINVAL, memory=sockaddr(address, 80), before=("bind",))

    def to_loopback(call: Syscall) -> Syscall:
        return replace(call, memory=(sockaddr("127.0.0.1", 0),))

    bound = t.changed("client", "bind", to_loopback)(run)
    assert ("bound-to-loopback" in found(bound)) is is_met


def test_calls_that_succeed_have_no_cause() -> None:
    run = attempted("listen", 0, (90, 1))
    assert not NAMES & set(found(run))
