from __future__ import annotations

import frame_bytes as fb

from lab.analysis.fields.field import HeaderField
from lab.analysis.fields.fields import fields_of
from lab.analysis.packets.dissect import dissect
from lab.records import Direction, Frame


def fields_in(data: bytes) -> list[HeaderField]:
    return list(fields_of(dissect(Frame(0, "x", Direction.IN, data, len(data)))))


def test_options_are_taken_apart_each_by_its_own_rfc() -> None:
    options = bytes.fromhex("01 03 03 09 05 0a 00000010 00000020 fd 04 beef 00 00")
    segment = fb.tcp(b"", options=options)
    fields = [f for f in fields_in(fb.ethernet(fb.ipv4(segment, 6))) if "option" in f.shape.header]
    said = [(f.shape.header.removeprefix("TCP option: "), f.shape.name, f.value) for f in fields]
    assert said == [
        ("no-operation", "kind", "1"),
        ("window scale", "kind", "3"), ("window scale", "length", "3"),
        ("window scale", "shift count", "9"),
        ("SACK", "kind", "5"), ("SACK", "length", "10"),
        ("SACK", "left edge", "16"), ("SACK", "right edge", "32"),
        ("experiment 1", "kind", "253"), ("experiment 1", "length", "4"),
        ("experiment 1", "data", "2 bytes"),
        ("end of option list", "kind", "0"),
    ]  # fmt: skip
    assert {f.meaning for f in fields if f.shape.name == "shift count"} == {"windows × 512"}


def test_a_datagram_without_a_checksum_says_so() -> None:
    datagram = bytes.fromhex("1092 1093 000a 0000") + b"hi"
    fields = {f.shape.abbreviation: f for f in fields_in(fb.ethernet(fb.ipv4(datagram, 17)))}
    assert fields["udp.checksum"].meaning == "none was computed"
    assert fields["udp.payload"].raw == b"hi"
