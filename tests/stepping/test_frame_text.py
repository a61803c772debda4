"""Frames in a few words, and as bytes and fields."""

from __future__ import annotations

import frame_bytes as fb
import pytest

from lab.stepping.frame_text import (
    RelativeNumbers,
    bytes_page,
    editable,
    frame_text,
    hex_lines,
    kind_of,
    payload_text,
)
from lab.wire.fields import field_value, rewrite
from lab.wire.headers import Headers

SYN, ACK, FIN_ACK, PSH_ACK = 0x02, 0x10, 0x11, 0x18


def segment(seq: int, flags: int, payload: bytes = b"", ack: int = 0) -> bytes:
    return fb.ethernet(fb.ipv4(fb.tcp(payload, seq=seq, ack=ack, flags=flags)))


DATAGRAM = fb.ethernet(fb.ipv4(fb.udp(b"hello"), protocol=17))


def test_numbers_are_relative_once_the_syn_was_seen() -> None:
    numbers = RelativeNumbers([segment((1 << 32) - 1, SYN)])
    assert frame_text(segment((1 << 32) - 1, SYN), numbers) == "SYN seq=0"
    assert frame_text(segment(0, PSH_ACK, b"seven.."), numbers) == "PSH ACK seq=1 len=7"
    assert frame_text(segment(7, FIN_ACK), numbers) == "FIN ACK seq=8"


def test_an_acknowledgement_is_relative_to_what_the_peer_began_with() -> None:
    there = segment(100, SYN)
    headers = Headers(there)
    back = rewrite(
        headers,
        [("src", field_value(headers, "dst") or ""), ("dst", field_value(headers, "src") or ""),
         ("sport", field_value(headers, "dport") or ""), ("seq", "500"),
         ("dport", field_value(headers, "sport") or "")],
        raw=False,
    )  # fmt: skip
    numbers = RelativeNumbers([there, back])
    assert frame_text(segment(101, ACK, ack=501), numbers) == "ACK seq=1 ack=1"


def test_what_is_not_tcp_is_described_as_in_a_report() -> None:
    assert frame_text(DATAGRAM, RelativeNumbers()).startswith("UDP ")
    assert frame_text(b"short", RelativeNumbers())


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (segment(1, SYN), "SYN"),
        (segment(1, SYN | ACK), "SYN-ACK"),
        (segment(1, ACK), "ack"),
        (segment(1, ACK, b"x"), "data"),
        (segment(1, FIN_ACK, b"x"), "FIN"),
        (segment(1, 0x14), "RST"),
        (DATAGRAM, "data"),
        (b"short", "other"),
    ],
)
def test_kinds(data: bytes, kind: str) -> None:
    assert kind_of(data) == kind


def test_a_payload_is_shown_without_what_a_terminal_would_obey() -> None:
    assert payload_text(segment(1, ACK, b"Hello. ")) == "'Hello. '"
    assert "\x1b" not in payload_text(segment(1, ACK, b"\x1b[2J\xff"))
    assert payload_text(segment(1, ACK)) == ""


def test_bytes_and_fields_are_a_page() -> None:
    assert hex_lines(b"ABC\x00")[0].split() == ["0000", "41", "42", "43", "00", "ABC."]
    page = bytes_page(segment(5, SYN))
    assert "0000  02 00" in page and "sequence number: 5" in page and "TCP" in page


def test_the_form_has_the_fields_that_the_frame_has_with_their_values() -> None:
    fields = dict(editable(segment(5, SYN, ack=6)))
    assert (fields["seq"], fields["ack"], fields["flags"]) == ("5", "6", "S")
    assert "mss" not in fields and fields["src"] == field_value(Headers(segment(5, SYN)), "src")
    assert "seq" not in dict(editable(DATAGRAM)) and editable(b"short") == ()
