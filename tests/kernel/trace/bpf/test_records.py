"""Records of the BPF programs, parsed: each thread's calls and their pointer arguments."""

from __future__ import annotations

import struct

import pytest

from lab.kernel.trace.bpf.plans import PARTS, RECORD_HEADER, SECTION_HEADER
from lab.kernel.trace.bpf.records import (
    COMPAT_RECORD,
    CompatCall,
    PointerArguments,
    parse_compat_records,
    parse_records,
)
from lab.records import Memory


def section(data: bytes, length: int | None = None, argument: int = 1, part: str = "") -> bytes:
    told = len(data) if length is None else length
    return SECTION_HEADER.pack(told, argument, PARTS.index(part), len(data)) + data


def entry(time_ns: int, tid: int, number: int, *sections: bytes) -> bytes:
    return RECORD_HEADER.pack(time_ns, tid, number, 0) + b"".join(sections)


def leave(time_ns: int, tid: int, number: int, *sections: bytes) -> bytes:
    return RECORD_HEADER.pack(time_ns, tid, number, 1) + b"".join(sections)


def parsed(*records: bytes, difference: int = 0) -> dict[int, list[PointerArguments]]:
    return parse_records((record, difference) for record in records)


def memory(data: bytes, length: int, at_exit: bool = False, part: str = "") -> Memory:
    return Memory(1, part, at_exit, data, length)


def test_each_record_is_a_call_of_its_thread() -> None:
    found = parsed(
        entry(10, 7, 1, section(b"out", 300)),
        leave(11, 8, 0, section(b"for 8")),
        leave(12, 7, 0, section(b"for 7")),
        leave(13, 7, 0),
        difference=1000,
    )
    assert found == {
        7: [
            PointerArguments(1, 1010, False, (memory(b"out", 300),)),
            PointerArguments(0, 1012, True, (memory(b"for 7", 5, True),)),
            PointerArguments(0, 1013, True, ()),
        ],
        8: [PointerArguments(0, 1011, True, (memory(b"for 8", 5, True),))],
    }


def test_every_part_of_a_message_is_distinguished() -> None:
    parts = ("name", "data", "control")
    found = parsed(entry(10, 7, 46, *(section(part.encode(), part=part) for part in parts)))
    assert found[7][0].memory == tuple(memory(p.encode(), len(p), part=p) for p in parts)


def test_each_record_has_its_own_difference_of_clocks() -> None:
    found = parse_records([(entry(10, 7, 1), 1000), (leave(20, 7, 0), 2000)])
    assert [one.time_ns for one in found[7]] == [1010, 2020]


def test_what_could_not_be_read_is_left_out() -> None:
    found = parsed(entry(10, 7, 20, section(b"", 300), section(b"", 0)))
    assert found[7][0].memory == (memory(b"", 0),)


ARGUMENTS = (3, 0x1000, 8, 0, 0, 2**32 - 1)


def test_the_time_is_on_the_clock_of_the_records() -> None:
    entry = COMPAT_RECORD.pack(5, 42, 4, 0, 77, *ARGUMENTS)
    leaving = COMPAT_RECORD.pack(6, 42, 4, 1, -9, *ARGUMENTS)
    assert list(parse_compat_records([(entry, 100), (leaving, 200)])) == [
        CompatCall(105, 42, 4, False, 0, ARGUMENTS),
        CompatCall(206, 42, 4, True, -9, ARGUMENTS),
    ]


@pytest.mark.parametrize("length", [0, COMPAT_RECORD.size - 1, COMPAT_RECORD.size + 1])
def test_another_length_is_no_record(length: int) -> None:
    with pytest.raises(struct.error):
        list(parse_compat_records([(bytes(length), 0)]))
