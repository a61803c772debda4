from __future__ import annotations

import frame_bytes as fb

from lab.analysis.fields.fields import fields_of
from lab.analysis.packets.dissect import dissect
from lab.records import Direction, Frame


def meanings(data: bytes) -> dict[str, tuple[str, str]]:
    packet = dissect(Frame(0, "x", Direction.IN, data, len(data)))
    return {f.shape.abbreviation: (f.value, f.meaning) for f in fields_of(packet)}


def test_a_tagged_frame() -> None:
    found = meanings(b"\xff" * 6 + b"\2\0\0\0\1\1" + bytes.fromhex("8100 a064 86dd") + b"\x60")
    assert found["eth.dst"] == ("ff:ff:ff:ff:ff:ff", "broadcast")
    assert found["eth.type"] == ("0x8100", "802.1Q VLAN tag")
    assert (found["vlan.priority"][0], found["vlan.id"][0]) == ("5", "100")
    assert found["vlan.etype"] == ("0x86dd", "IPv6")


def test_a_number_below_0x0600_is_a_length() -> None:
    found = meanings(b"\2" * 12 + b"\0\x03" + b"\x42\x42\x03")
    assert found["eth.len"] == ("3", "")


def test_an_unknown_type_has_no_meaning() -> None:
    assert meanings(fb.ethernet(b"xy", 0x1234))["eth.type"] == ("0x1234", "")
