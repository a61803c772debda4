from __future__ import annotations

import struct
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.pcap.upper_pdu import MAX_TEXT_BYTES, CaptureNote, Message, upper_pdu


def note(text: str, protocol: str = "system call") -> CaptureNote:
    return CaptureNote(0, "client calls", protocol, text)


def parsed(data: bytes) -> tuple[dict[int, bytes], bytes]:
    """The tags' values by number, up to the end's, and what is behind them."""
    tags: dict[int, bytes] = {}
    at = 0
    while True:
        kind, length = struct.unpack_from("!2H", data, at)
        at += 4
        if kind == 0:
            assert length == 0
            return tags, data[at:]
        tags[kind] = data[at : at + length]
        at += length


def test_the_tags_name_the_dissector_and_the_protocol_column() -> None:
    tags, text = parsed(upper_pdu(note("client#2 socket(AF_INET) = 3")))
    assert {kind: value.rstrip(b"\0") for kind, value in tags.items()} == {
        12: b"syslog",
        33: b"system call",
    }
    assert text == b"client#2 socket(AF_INET) = 3"


@given(st.text(min_size=1, max_size=9), st.text(max_size=30))
def test_a_value_ends_with_a_zero_at_a_multiple_of_four(protocol: str, text: str) -> None:
    tags, told = parsed(upper_pdu(note(text, protocol)))
    encoded = protocol.encode("utf-8", "backslashreplace")
    assert tags[33].startswith(encoded)
    assert 1 <= len(tags[33]) - len(encoded) <= 4 and len(tags[33]) % 4 == 0
    assert told == text.encode("utf-8", "backslashreplace")


@pytest.mark.parametrize("character", ["x", "é", "€", "\N{GRINNING FACE}"])
def test_a_long_text_is_cut_between_characters(character: str) -> None:
    _, text = parsed(upper_pdu(note("-" + character * MAX_TEXT_BYTES)))
    assert MAX_TEXT_BYTES - 3 <= len(text) <= MAX_TEXT_BYTES
    assert set(text.decode()) == {"-", character}


@given(st.text("abcdef", min_size=1, max_size=9), st.binary(max_size=30))
def test_a_message_has_the_dissector_and_the_places_before_its_bytes(
    dissector: str, data: bytes
) -> None:
    near, far = IPv4Address("127.0.0.1"), IPv4Address("127.0.0.2")
    message = Message(0, "unix", dissector, near, far, 7, data, len(data) + 9, "a comment")
    tags, told = parsed(upper_pdu(message))
    assert tags.pop(12).rstrip(b"\0") == dissector.encode()
    assert tags == {
        20: near.packed,
        21: far.packed,
        24: b"\0\0\0\x02",
        25: b"\0\0\0\x07",
        26: b"\0\0\0\x07",
    }
    assert told == data
