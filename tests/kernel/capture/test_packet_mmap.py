"""A frame has its VLAN tag where it was."""

from __future__ import annotations

from lab.kernel.capture.packet_mmap import with_tag

VALID, TPID_VALID = 0x10, 0x40


def test_a_tag_without_its_protocol_is_802_1q() -> None:
    frame = bytes(range(20))
    assert with_tag(frame, VALID, 5, 0) == frame[:12] + b"\x81\0\0\5" + frame[12:]
    assert with_tag(frame, VALID | TPID_VALID, 5, 0x88A8)[12:14] == b"\x88\xa8"
