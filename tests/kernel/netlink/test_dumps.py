from __future__ import annotations

import struct

from lab.kernel.netlink.dumps import HEADER, attributes, nested


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def test_attributes_stand_behind_the_body_each_at_a_multiple_of_four() -> None:
    inner = attribute(1, b"a") + attribute(2, b"bcde")
    message = bytes(HEADER.size) + b"body." + bytes(3) + attribute(3, inner) + attribute(4, b"")
    found = dict(attributes(message, 5))
    assert found == {3: inner, 4: b""}
    assert list(nested(found[3])) == [(1, b"a"), (2, b"bcde")]


def test_what_is_cut_off_or_says_that_it_has_no_length_ends_them() -> None:
    assert list(nested(attribute(1, b"abcd")[:6])) == [(1, b"ab")]
    assert list(nested(b"\0\0\1\0")) == [(1, b"")]
    assert list(nested(b"abc")) == list(nested(b"")) == []
