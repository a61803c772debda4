from __future__ import annotations

import struct

import pytest
from bulk_read import bulk_of
from captured import capture_of
from every_block import RESOLUTIONS, block, every_block, interface, option

from lab.errors import CaptureFileError
from lab.pcap.bulk.bulk_reading import NotInBulkError
from lab.pcap.pcapng_numbers import ENHANCED_PACKET, SECTION_HEADER, SIMPLE_PACKET

SECTION = {
    order: block(order, SECTION_HEADER, struct.pack(order + "I2Hq", 0x1A2B3C4D, 1, 0, -1))
    for order in "<>"
}


def packet(
    data: bytes, order: str = "<", number: int = 0, time: int = 10**15, options: bytes = b"",
    more: int = 0,
) -> bytes:  # fmt: skip
    head = (number, time >> 32, time & 0xFFFF_FFFF, len(data), len(data) + more)
    body = struct.pack(order + "5I", *head) + data + bytes(-len(data) % 4) + options
    return block(order, ENHANCED_PACKET, body)


def flags(order: str, value: int) -> bytes:
    comment = option(order, 1, b"comment")
    return comment + option(order, 2, struct.pack(order + "I", value)) + option(order, 0, b"")


def check_same(data: bytes) -> None:
    """Whether both readers give the same of a file of these bytes."""
    try:
        whole = capture_of(data)
    except CaptureFileError as error:
        with pytest.raises(CaptureFileError) as refused:
            bulk_of(data)
        assert str(refused.value) == str(error)
        return
    frames, numbers, capture = bulk_of(data)
    assert (tuple(frames), numbers) == (whole.frames, list(whole.numbers))
    assert capture.left_out == whole.left_out
    assert (capture.clock_steps, capture.broken) == (whole.clock_steps, whole.broken)


@pytest.mark.parametrize("order", ["<", ">"])
def test_interfaces_options_and_other_blocks_are_read_as_by_the_other_reader(order: str) -> None:
    blocks = [SECTION[order]]
    blocks += [interface(order, link, each, 7) for link in (1, 101, 220) for each in RESOLUTIONS]
    count = len(blocks) - 1
    for n in range(60):
        options = flags(order, (n % 4) | (n % 5) << 5) if n % 3 else b""
        time = 10**9 * (1 + n % 7)
        blocks.append(packet(bytes([n] * (20 + n)), order, n % count, time, options, n % 2))
        if n % 11 == 0:
            blocks.append(block(order, 0x0ABC, b"unknown"))
    check_same(b"".join(blocks) + b"".join(blocks))


def test_a_section_of_everything_is_not_for_batches() -> None:
    with pytest.raises(NotInBulkError):  # it has obsolete and simple blocks
        bulk_of(every_block())


def test_a_simple_block_of_a_link_that_is_not_dissected_is_left_out() -> None:
    simple = block("<", SIMPLE_PACKET, struct.pack("<I", 4) + b"data")
    check_same(SECTION["<"] + interface("<", 220, 6, 0) + packet(b"a") + simple + packet(b"b"))


@pytest.mark.parametrize(
    "bad",
    [
        packet(b"data", number=9),
        packet(b"data")[:-4] + bytes(4),
        packet(b"data", options=option("<", 2, b"ab")),
        packet(b"data", options=struct.pack("<2H", 2, 400)),
        packet(b"data", options=struct.pack("<2H", 1, 3)),
        packet(b"data")[:20] + struct.pack("<2I", 4000, 4000) + packet(b"data")[28:],
        packet(b"data")[:20] + struct.pack("<2I", 9, 9) + packet(b"data")[28:],
        struct.pack("<2I", ENHANCED_PACKET, 30) + bytes(40),
        packet(b"data")[:-5],
    ],
)
def test_what_makes_no_sense_ends_the_file_as_for_the_other_reader(bad: bytes) -> None:
    start = SECTION["<"] + interface("<", 1, 6, 0)
    check_same(start + packet(b"good") * 3 + bad + packet(b"behind"))
    check_same(start + bad)


@pytest.mark.parametrize("cut", range(60))
def test_a_file_may_be_cut_anywhere(cut: int) -> None:
    data = SECTION["<"] + interface("<", 1, 6, 0) + packet(b"one") + packet(b"two")
    check_same(data[: len(data) - cut])


@pytest.mark.parametrize(
    ("resolution", "time"), [(9, 2**63), (6, 2**61), (0, 2**40), (0x80 | 10, 2**62), (0x80 | 40, 1)]
)
def test_times_that_columns_do_not_hold_are_not_for_batches(resolution: int, time: int) -> None:
    data = SECTION["<"] + interface("<", 1, resolution, 0) + packet(b"data", time=time)
    with pytest.raises(NotInBulkError):
        bulk_of(data)


def test_many_short_blocks_are_not_read_again_for_each() -> None:
    other = block("<", 0x0ABC, b"unknown")
    data = SECTION["<"] + interface("<", 1, 6, 0) + (packet(b"data") + other) * 300
    check_same(data)
