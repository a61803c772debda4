from __future__ import annotations

import frame_bytes as fb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.packets.packet import Malformed, Payload
from lab.analysis.packets.walk import Walk


@given(st.binary(max_size=20), st.integers(0, 25), st.integers(0, 25), st.integers(0, 25))
def test_bytes_are_at_hand_or_their_lack_is_a_layer(
    data: bytes, at: int, count: int, end: int
) -> None:
    walk = Walk(data)
    holds = walk.holds(at, count, end, "TCP")
    assert holds == (at + count <= min(end, len(data)))
    assert len(walk.layers) == (not holds)


def test_what_the_capture_lacks_is_truncated_and_what_the_packet_lacks_is_not() -> None:
    walk = Walk(bytes(10))
    assert not walk.holds(4, 8, 12, "UDP")
    assert not walk.holds(4, 8, 11, "UDP")
    reason = "needs 8 bytes, has 6"
    assert walk.layers == [Malformed(4, "UDP", reason, True), Malformed(4, "UDP", reason, False)]


def test_behind_the_end_no_bytes_are_there() -> None:
    walk = Walk(bytes(10))
    assert not walk.holds(12, 4, 20, "ARP")
    assert walk.layers == [Malformed(12, "ARP", "needs 4 bytes, has 0", True)]


def test_a_byte_that_is_missing_is_one_byte() -> None:
    walk = Walk(b"")
    assert not walk.holds(0, 1, 1, "IP")
    assert walk.layers == [Malformed(0, "IP", "needs 1 byte, has 0", True)]


def test_a_payload_is_what_is_at_hand_of_it() -> None:
    walk = Walk(b"0123456789")
    walk.payload(6, 8)
    walk.payload(8, 99)
    walk.payload(10, 99)
    walk.payload(4, 4)
    assert walk.layers == [Payload(6, b"67"), Payload(8, b"89")]


SEGMENT = fb.tcp(b"odd")
ADDRESSES = fb.V4_A.packed + fb.V4_B.packed


@pytest.mark.parametrize(("spoilt", "holds"), [(SEGMENT, True), (SEGMENT[:-1] + b"D", False)])
def test_a_checksum_is_computed_with_the_pseudo_header(spoilt: bytes, holds: bool) -> None:
    walk = Walk(b"before" + spoilt + b"behind")
    assert walk.checksum_ok(6, 6 + len(SEGMENT), ADDRESSES, 6) is holds


def test_a_checksum_without_a_pseudo_header_is_over_the_bytes_alone() -> None:
    message = fb.icmp(8, 0, b"\0\1\0\2", b"ping")
    assert Walk(message).checksum_ok(0, len(message), ADDRESSES, None) is True
    assert Walk(message).checksum_ok(0, len(message), ADDRESSES, 1) is False


def test_a_checksum_of_missing_bytes_or_unknown_addresses_is_not_computed() -> None:
    assert Walk(SEGMENT[:-1]).checksum_ok(0, len(SEGMENT), ADDRESSES, 6) is None
    assert Walk(SEGMENT).checksum_ok(0, len(SEGMENT), None, 6) is None
