from __future__ import annotations

import struct

import pytest
from bulk_read import bulk_of
from captured import capture_of, fault_of

from lab.errors import CaptureFileError
from lab.pcap.bulk.bulk_reading import BATCH_BYTES, NotInBulkError
from lab.pcap.link_types import MAX_CAPTURED_BYTES

MICRO, NANO = 0xA1B2C3D4, 0xA1B23C4D


def file_of(
    *records: bytes, order: str = "<", magic: int = MICRO, link: int = 1, minor: int = 4
) -> bytes:
    return struct.pack(order + "I2H4I", magic, 2, minor, 0, 0, 65535, link) + b"".join(records)


def record(
    data: bytes, order: str = "<", units: int = 5, more: int = 0, seconds: int = 1_700_000_000
) -> bytes:
    return struct.pack(order + "4I", seconds, units, len(data), len(data) + more) + data


@pytest.mark.parametrize("magic", [MICRO, NANO])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("link", [1, 101, 1 | 0x2400_0000, 220])
def test_records_are_those_of_the_other_reader(order: str, magic: int, link: int) -> None:
    records = [record(bytes([n] * n), order, n, n % 3) for n in range(40)]
    data = file_of(*records, order=order, magic=magic, link=link)
    whole = capture_of(data)
    frames, numbers, capture = bulk_of(data)
    assert (tuple(frames), numbers) == (whole.frames, list(whole.numbers))
    assert capture.left_out == whole.left_out


def test_a_file_ends_at_every_length_as_for_the_other_reader() -> None:
    data = file_of(*(record(b"x" * n) for n in (20, 0, 7)))
    for cut in range(24, len(data) + 1):
        whole = capture_of(data[:cut]) if cut in (24, *range(60, len(data) + 1)) else None
        if whole is None:
            with pytest.raises(CaptureFileError) as refused:
                bulk_of(data[:cut])
            assert fault_of(data[:cut]) in str(refused.value)
            continue
        frames, _, capture = bulk_of(data[:cut])
        assert (tuple(frames), capture.broken) == (whole.frames, whole.broken)


def test_an_impossible_length_ends_the_file() -> None:
    bad = struct.pack("<4I", 1, 0, MAX_CAPTURED_BYTES + 1, MAX_CAPTURED_BYTES + 1)
    data = file_of(*[record(b"x")] * 4, bad + bytes(MAX_CAPTURED_BYTES + 1), record(b"y"))
    frames, _, capture = bulk_of(data)
    assert [frame.data for frame in frames] == [b"x"] * 4
    assert capture.broken == capture_of(data).broken != ""


def test_a_record_may_stand_across_what_is_read_at_once() -> None:
    longest = record(bytes(MAX_CAPTURED_BYTES))
    count = BATCH_BYTES // len(longest) + 2
    data = file_of(*[longest] * count, record(b"last"))
    frames, numbers, _ = bulk_of(data)
    assert len(frames) == count + 1 and frames[-1].data == b"last"
    assert numbers == list(range(1, count + 2))


def test_a_clock_that_is_set_back_is_noted_across_batches() -> None:
    longest = bytes(MAX_CAPTURED_BYTES)
    seconds = [10, 20, 15] + [30 + n for n in range(40)] + [5, 6, 2]
    data = file_of(*(record(longest, seconds=each) for each in seconds))
    *_, capture = bulk_of(data)
    assert capture.clock_steps == capture_of(data).clock_steps
    assert capture.clock_steps is not None and capture.clock_steps.times == 3


def test_lengths_in_either_order_are_not_for_batches() -> None:
    with pytest.raises(NotInBulkError):
        bulk_of(file_of(record(b"x"), minor=3))
