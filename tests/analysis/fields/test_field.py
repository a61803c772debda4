from __future__ import annotations

import pytest

from lab.analysis.fields.field import Form, HeaderField, Shape


def field(
    raw: str, form: Form, first_bit: int = 0, bits: int | None = None, **more: int
) -> HeaderField:
    data = bytes.fromhex(raw)
    shape = Shape("H", "n", "h.n", first_bit, bits or len(data) * 8, form, "RFC 1", **more)
    return HeaderField(shape, data)


@pytest.mark.parametrize(
    ("one", "value"),
    [
        (field("1092", Form.DECIMAL), "4242"),
        (field("0800", Form.HEX), "0x0800"),
        (field("c6336401", Form.IPV4), "198.51.100.1"),
        (field("20010db8" + "00" * 11 + "01", Form.IPV6), "2001:db8::1"),
        (field("020000000101", Form.MAC), "02:00:00:00:01:01"),
        (field("00", Form.BYTES), "1 byte"),
        (field("0000", Form.BYTES), "2 bytes"),
        (field("45", Form.DECIMAL, 4, 4, factor=4), "20"),
        (field("40b9", Form.DECIMAL, 3, 13), "185"),
        (field("12", Form.DECIMAL, 3, 1), "1"),
    ],
)
def test_a_value_is_written_as_wireshark_writes_it(one: HeaderField, value: str) -> None:
    assert one.value == value
    assert one.display_filter == ("" if one.shape.form is Form.BYTES else f"h.n == {value}")


def test_a_field_within_a_byte_has_that_byte() -> None:
    shape = field("40b9", Form.DECIMAL, 35, 13).shape
    assert (shape.first_byte, shape.end_byte) == (4, 6)
