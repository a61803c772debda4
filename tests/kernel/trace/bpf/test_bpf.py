"""A ring buffer's bytes: which of them are whole records, and what these are."""

from __future__ import annotations

import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import KernelRefused
from lab.kernel.trace.bpf.bpf import (
    MapType,
    clear,
    create_map,
    length_committed,
    records_of,
    write_entry,
)

BUSY, DISCARDED = 1 << 31, 1 << 30
"""BPF_RINGBUF_BUSY_BIT, BPF_RINGBUF_DISCARD_BIT."""


def record(data: bytes, flags: int = 0) -> bytes:
    whole = struct.pack("=II", len(data) | flags, 0xABCD) + data
    return whole.ljust((len(whole) + 7) & ~7, b"\xee")


@given(st.lists(st.tuples(st.binary(max_size=40), st.booleans())))
def test_records_are_those_that_were_not_discarded(written: list[tuple[bytes, bool]]) -> None:
    ring = b"".join(record(data, DISCARDED if gone else 0) for data, gone in written)
    assert length_committed(ring, 0, len(ring)) == len(ring)
    assert list(records_of(ring)) == [data for data, gone in written if not gone]


@given(st.lists(st.binary(max_size=40)), st.lists(st.binary(max_size=40)), st.integers(0, 5))
def test_a_record_still_being_written_ends_what_can_be_read(
    before: list[bytes], after: list[bytes], start: int
) -> None:
    done = b"".join(map(record, before))
    rest = record(b"half", BUSY) + b"".join(map(record, after))
    ring = bytes(8 * start) + done + rest
    assert length_committed(ring, 8 * start, len(done + rest)) == len(done)


def test_a_record_still_being_written_is_not_taken_for_a_long_one() -> None:
    assert length_committed(record(b"", BUSY | DISCARDED), 0, 8) == 0


def test_nothing_beyond_what_is_available_is_read() -> None:
    ring = record(b"first") + record(b"second", BUSY)
    assert length_committed(ring, 0, 16) == 16
    assert length_committed(ring, 16, 0) == 0


@pytest.mark.kernel
def test_a_hash_is_emptied_and_taken_again() -> None:
    if os.geteuid() != 0:
        pytest.skip("BPF maps are root's: bpf(2) gives EPERM to others")
    try:
        made = create_map(MapType.HASH, 4, 8, 100, "wirelab_test")
    except KernelRefused as error:
        pytest.skip(str(error))
    try:
        for turn in range(3):
            # It has room for these, and for no more unless it is emptied between.
            for number in range(100):
                write_entry(made, struct.pack("=I", 1000 * turn + number), bytes(8))
            with pytest.raises(KernelRefused):
                write_entry(made, struct.pack("=I", 999_999), bytes(8))
            clear(made, 4)
        clear(made, 4)
    finally:
        os.close(made)
