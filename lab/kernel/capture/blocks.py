"""Blocks of a TPACKET_V3 ring as bytes: what their headers say, and the frames in them.

A block begins with struct tpacket_block_desc, 48 bytes:

    version u32, offset_to_priv u32, block_status u32, num_pkts u32, offset_to_first_pkt u32,
    blk_len u32, seq_num u64, then the times of the first and the last frame

Each frame is at a multiple of 8 bytes: struct tpacket3_hdr, 48 bytes, struct sockaddr_ll, room up
to tp_mac, the frame's own bytes. The first word of the header leads to the next frame's.
Source: linux/if_packet.h, Documentation/networking/packet_mmap.rst.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from lab.kernel.capture.packet_mmap import (
    PACKET_OUTGOING,
    TP_STATUS_VLAN_VALID,
    VLAN_TAG_BYTES,
    with_tag,
)

# Words of a block's header, as indexes of u32.
STATUS_WORD, COUNT_WORD, LENGTH_WORD = 2, 3, 5
SEQUENCE_OFFSET = 24
HEADER_BYTES = 48

_HEADER = struct.Struct("=8xIIIIQ")
_SEQUENCE = struct.Struct("=Q")
# tp_next_offset to tp_mac, tp_net and tp_rxhash, tp_vlan_tci and tp_vlan_tpid; sll_pkttype is
# 10 bytes behind the header's 48.
_FRAME = struct.Struct("=IIIIIIH6xIH20xB")


class BlockHeader(NamedTuple):
    """What a block says of itself."""

    status: int
    frames: int
    first: int
    """Where its first frame is, in bytes from its beginning."""
    length: int
    """Its used bytes, this header's among them."""
    sequence: int
    """Its number among the blocks of its ring, from 1 on."""


class CapturedFrame(NamedTuple):
    """A frame as the ring had it."""

    time_ns: int
    is_outgoing: bool
    data: bytes
    """VLAN tag included."""
    wire_bytes: int
    """More than len(data) of a frame that was cut."""


def block_header(block: bytes | memoryview, start: int = 0) -> BlockHeader:
    """The header of the block that begins there."""
    return BlockHeader(*_HEADER.unpack_from(block, start))


def sequence_of(blocks: bytes | memoryview, start: int) -> int:
    """The number of the block that begins there; 0 of one that was never used."""
    (sequence,) = _SEQUENCE.unpack_from(blocks, start + SEQUENCE_OFFSET)
    return int(sequence)


class FramePlace(NamedTuple):
    """Where a frame is in a block, and what the ring has of it beside."""

    time_ns: int
    is_outgoing: bool
    start: int
    captured: int
    """Its bytes there, from `start` on."""
    wire_bytes: int
    """More than are there of a frame that was cut, or whose tag is not among them."""
    tag: tuple[int, int, int] | None
    """What `with_tag` takes, where the kernel has taken a VLAN tag out; else None."""


def frame_places(block: bytes | memoryview) -> Iterator[FramePlace]:
    """Where the frames of a block are, in the kernel's order.

    Raises struct.error where the block is cut.
    """
    header = block_header(block)
    at = header.first
    for _ in range(header.frames):
        following, seconds, nanoseconds, snapped, length, status, mac, tci, tpid, kind = (
            _FRAME.unpack_from(block, at)
        )
        tag = None
        if status & TP_STATUS_VLAN_VALID:
            tag = status, tci, tpid
            length += VLAN_TAG_BYTES
        time_ns = seconds * 1_000_000_000 + nanoseconds
        yield FramePlace(time_ns, kind == PACKET_OUTGOING, at + mac, snapped, length, tag)
        at += following


def frames_of(block: bytes | memoryview) -> Iterator[CapturedFrame]:
    """The frames of a block, in the kernel's order.

    Raises struct.error where the block is cut.
    """
    for time_ns, is_outgoing, start, captured, length, tag in frame_places(block):
        data = bytes(block[start : start + captured])
        if tag is not None:
            data = with_tag(data, *tag)
        yield CapturedFrame(time_ns, is_outgoing, data, length)
