"""Membership reports of IGMP and MLD, of every version, whole and cut off."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest

from lab.analysis.messages.membership import membership_of
from lab.analysis.packets.dissect import dissect
from lab.records import Direction, Frame

GROUP, OTHER = IPv4Address("239.255.42.42"), IPv4Address("239.1.2.3")
GROUP6 = IPv6Address("ff15::42")


def igmp(message: bytes) -> bytes:
    head = struct.pack("!BBHHHBBH", 0x46, 0, 24 + len(message), 7, 0, 1, 2, 0)
    head += IPv4Address("10.0.0.1").packed + GROUP.packed + b"\x94\x04\0\0"  # router alert
    return bytes(12) + b"\x08\0" + head + message


def mld(message: bytes) -> bytes:
    options = b"\x3a\0\x05\x02\0\0\x01\0"
    head = struct.pack("!IHBB", 6 << 28, len(options) + len(message), 0, 1)
    head += IPv6Address("fe80::1").packed + GROUP6.packed
    return bytes(12) + b"\x86\xdd" + head + options + message


def said(data: bytes) -> str | None:
    found = membership_of(dissect(Frame(0, "a/eth0", Direction.OUT, data, len(data))))
    return None if found is None else str(found)


def record(kind: int, group: IPv4Address | IPv6Address, *sources: bytes, more: int = 0) -> bytes:
    head = struct.pack("!BBH", kind, more, len(sources)) + group.packed
    return head + b"".join(sources) + bytes(4 * more)


def report(kind: int, *records: bytes) -> bytes:
    return struct.pack("!BxHxxH", kind, 0, len(records)) + b"".join(records)


CASES = {
    "IGMP member of 239.255.42.42": [
        igmp(b"\x16\0\0\0" + GROUP.packed),
        igmp(b"\x12\0\0\0" + GROUP.packed),
        igmp(report(0x22, record(4, GROUP))),
        igmp(report(0x22, record(2, GROUP, bytes(4)))),
    ],
    "IGMP leaves 239.255.42.42": [
        igmp(b"\x17\0\0\0" + GROUP.packed),
        igmp(report(0x22, record(3, GROUP))),
    ],
    "IGMP member of 239.1.2.3, leaves 239.255.42.42": [
        igmp(report(0x22, record(3, GROUP, more=2), record(4, OTHER))),
        igmp(report(0x22, record(5, OTHER, bytes(4)), record(3, GROUP), record(4, OTHER))),
    ],
    "MLD member of ff15::42": [
        mld(b"\x83\0\0\0\0\0\0\0" + GROUP6.packed),
        mld(report(143, record(4, GROUP6))),
    ],
    "MLD leaves ff15::42": [
        mld(b"\x84\0\0\0\0\0\0\0" + GROUP6.packed),
        mld(report(143, record(1, GROUP6))),
    ],
}
EVERY = [(words, data) for words, frames in CASES.items() for data in frames]


@pytest.mark.parametrize(("words", "data"), EVERY)
def test_a_report_says_of_which_groups_its_sender_is(words: str, data: bytes) -> None:
    assert said(data) == words


@pytest.mark.parametrize(("words", "data"), EVERY)
def test_what_is_cut_off_at_any_length_says_nothing(words: str, data: bytes) -> None:
    for length in range(len(data)):
        assert said(data[:length]) in (None, words)
    assert said(data[:44]) is None


def test_other_messages_are_no_reports() -> None:
    assert said(igmp(b"\x11\0\0\0" + GROUP.packed)) is None  # a query
    assert said(igmp(report(0x22, record(5, GROUP, bytes(4))))) is None  # sources alone
    assert said(igmp(report(0x22))) is None
    assert said(mld(b"\x80\0\0\0\0\0\0\0" + GROUP6.packed)) is None  # an echo request
