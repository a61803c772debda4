from __future__ import annotations

import io
import struct

from lab.pcap.pcapng import MAGIC
from lab.pcap.pcapng_numbers import (
    ENHANCED_PACKET,
    FRAMING_BYTES,
    INTERFACE_DESCRIPTION,
    SECTION_HEADER,
)
from lab.pcap.pcapng_writing import write_pcapng
from lab.records import DIRECTIONS, Direction, Frame


def test_the_magic_is_the_section_headers_type_in_either_byte_order() -> None:
    assert MAGIC == SECTION_HEADER.to_bytes(4, "little") == SECTION_HEADER.to_bytes(4, "big")


def test_a_direction_is_in_the_two_lowest_bits_of_a_packets_flags() -> None:
    # 00 not available, 01 inbound, 10 outbound; 11 is none of them.
    assert DIRECTIONS == (Direction.UNKNOWN, Direction.IN, Direction.OUT, Direction.UNKNOWN)
    assert {DIRECTIONS.index(each) for each in Direction} == {0, 1, 2}


def test_every_block_is_framed_by_its_type_and_its_length_twice() -> None:
    file = io.BytesIO()
    write_pcapng(file, ["p"], [Frame(1, "p", Direction.OUT, b"frame", 5)], {}, "test")
    data, at, kinds = file.getvalue(), 0, []
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length > FRAMING_BYTES == struct.calcsize("<III")
        assert struct.unpack_from("<I", data, at + length - 4) == (length,)
        kinds.append(kind)
        at += length
    assert kinds == [SECTION_HEADER, INTERFACE_DESCRIPTION, ENHANCED_PACKET]
