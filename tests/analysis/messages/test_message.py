from __future__ import annotations

import struct

import frame_bytes as fb
import pytest
from network_steps import step_of

from lab.analysis.messages.message import messages_of
from lab.analysis.packets.dissect import dissect
from lab.records import Direction, Frame

QUERY = struct.pack("!6H", 7, 0, 1, 0, 0, 0) + b"\1a\0\0\1\0\1"


def said(data: bytes) -> list[str]:
    return [
        str(each) for each in messages_of(dissect(Frame(0, "p", Direction.IN, data, len(data))))
    ]


def datagram(payload: bytes, source: int, destination: int) -> bytes:
    return fb.ethernet(fb.ipv4(fb.udp(payload, sport=source, dport=destination), 17))


def segment(payload: bytes, source: int, destination: int) -> bytes:
    return fb.ethernet(fb.ipv4(fb.tcp(payload, sport=source, dport=destination)))


@pytest.mark.parametrize("ports", [(4000, 53), (53, 4000), (5353, 5353)])
def test_a_datagram_of_port_53_is_a_message(ports: tuple[int, int]) -> None:
    assert said(datagram(QUERY, *ports)) == ["DNS query 0x0007 A a."]


def test_others_are_none() -> None:
    assert said(datagram(QUERY, 4000, 54)) == []
    assert said(datagram(b"hello", 4000, 53)) == []
    assert said(segment(QUERY, 4000, 53)) == []
    assert said(segment(b"", 4000, 53)) == []


def test_a_segment_has_messages_if_it_has_nothing_else() -> None:
    framed = struct.pack("!H", len(QUERY)) + QUERY
    assert said(segment(framed, 4000, 53)) == ["DNS query 0x0007 A a."]
    assert said(segment(framed * 2, 53, 4000)) == ["DNS query 0x0007 A a."] * 2
    assert said(segment(framed + b"\0", 4000, 53)) == []
    assert said(segment(framed, 4000, 80)) == []
    assert said(segment(b"\0\1a", 4000, 53)) == []


def test_a_report_of_groups_is_one_too() -> None:
    found = [messages_of(each.packet) for each in step_of("multicast4", "group").crossings]
    assert any(str(each[0]).startswith("IGMP member of ") for each in found if each)
