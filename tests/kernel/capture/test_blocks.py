"""Frames are read from a block as the kernel has laid them there."""

from __future__ import annotations

import struct

import pytest
from ring_blocks import Laid, block

from lab.kernel.capture.blocks import block_header, frames_of, sequence_of

FRAME = bytes(range(60))


def test_a_blocks_header_says_its_frames_and_its_used_bytes() -> None:
    data = block(Laid(FRAME), Laid(FRAME[:59]), sequence=7)
    header = block_header(data)
    assert (header.status, header.frames, header.first, header.sequence) == (1, 2, 48, 7)
    assert header.length == len(data)
    assert sequence_of(b"before" + data, len(b"before")) == 7


def test_frames_have_their_times_directions_and_bytes() -> None:
    data = block(
        Laid(FRAME, 1_700_000_000_123_456_789, is_outgoing=True),
        Laid(FRAME[:1], 1_700_000_001_000_000_001),
        Laid(b"", 5),
    )
    assert [tuple(frame) for frame in frames_of(data)] == [
        (1_700_000_000_123_456_789, True, FRAME, 60),
        (1_700_000_001_000_000_001, False, FRAME[:1], 1),
        (5, False, b"", 0),
    ]


def test_a_tag_that_the_kernel_took_out_is_where_it_was() -> None:
    (frame,) = frames_of(block(Laid(FRAME, tag=(0x88A8, 0xF123), wire_bytes=1500)))
    assert frame.data == FRAME[:12] + b"\x88\xa8\xf1\x23" + FRAME[12:]
    assert frame.wire_bytes == 1504


def test_a_frame_that_was_cut_has_its_length_on_the_wire() -> None:
    (frame,) = frames_of(block(Laid(FRAME, wire_bytes=1514)))
    assert (len(frame.data), frame.wire_bytes) == (60, 1514)


def test_a_block_that_is_cut_in_a_header_is_refused() -> None:
    data = block(Laid(FRAME), Laid(FRAME))
    second = 48 + (len(data) - 48) // 2
    for length in (0, 40, 47, second, second + 58):
        with pytest.raises(struct.error):
            list(frames_of(data[:length]))
