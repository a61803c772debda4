from __future__ import annotations

import frame_bytes as fb
import pytest

from lab.analysis.fields.fields import fields_of
from lab.analysis.fields.internet import checksum_meaning
from lab.analysis.packets.dissect import dissect
from lab.records import Direction, Frame


def found_in(data: bytes) -> dict[str, tuple[str, str]]:
    packet = dissect(Frame(0, "x", Direction.IN, data, len(data)))
    return {f"{f.shape.header}: {f.shape.name}": (f.value, f.meaning) for f in fields_of(packet)}


@pytest.mark.parametrize(
    ("checksum_ok", "right", "meaning"),
    [
        (None, None, ""),
        (True, None, "correct"),
        (False, None, "wrong"),
        (False, 0x1A2B, "wrong, should be 0x1a2b"),
    ],
)
def test_checksums(checksum_ok: bool | None, right: int | None, meaning: str) -> None:
    assert checksum_meaning(checksum_ok, right) == meaning


def test_a_wrong_header_checksum_is_said_to_be_wrong() -> None:
    data = bytearray(fb.ethernet(fb.ipv4(fb.tcp(b""), 6)))
    data[24] ^= 1
    assert found_in(bytes(data))["IPv4: header checksum"][1] == "wrong"


def test_what_an_error_quotes_has_fields_of_its_own() -> None:
    quoted = fb.ipv4(fb.tcp(b"")[:8], 6)
    data = fb.ethernet(fb.ipv4(b"\3\3\0\0\0\0\0\0" + quoted, 1))
    found = found_in(data)
    assert found["ICMP: type"] == ("3", "destination unreachable")
    assert found["ICMP: code"] == ("3", "port")
    assert found["IPv4, quoted: protocol"] == ("6", "TCP")
    assert "TCP, cut, quoted: sequence number" in found
