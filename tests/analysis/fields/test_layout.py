from __future__ import annotations

from lab.analysis.fields.layout import Bits, HeaderLayout, fields_at, named, whole

LAYOUT = HeaderLayout(
    "H", "RFC 1", (Bits("a", "h.a", 4), Bits("b", "h.b", 4, meaning=named({2: "two"})),
                   Bits("c", "h.c", 16)),
)  # fmt: skip


def test_parts_stand_one_behind_the_other() -> None:
    fields = list(fields_at(b"\0\x12\xab\xcd", 1, LAYOUT, {}))
    assert [(f.shape.first_bit, f.number, f.meaning) for f in fields] == [
        (8, 1, ""), (12, 2, "two"), (16, 0xABCD, ""),
    ]  # fmt: skip


def test_what_only_the_packet_tells_comes_first() -> None:
    assert [f.meaning for f in fields_at(b"\x12\0\0", 0, LAYOUT, {"h.b": "other"})][1] == "other"


def test_a_cut_header_has_the_fields_that_are_whole() -> None:
    assert [f.shape.name for f in fields_at(b"\x12\0", 0, LAYOUT, {})] == ["a", "b"]


def test_no_bytes_are_no_field() -> None:
    assert list(whole(b"abc", 3, 3, "H", "rest", "")) == []
    assert [f.raw for f in whole(b"abc", 1, 3, "H", "rest", "")] == [b"bc"]
