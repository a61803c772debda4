"""Records of the BPF programs, parsed: in their order, with the memory that they hold."""

from __future__ import annotations

import pytest

from lab.kernel.trace.bpf.records import (
    ARGUMENTS,
    BODY_AT,
    HEADER,
    KIND_AT,
    NUMBER_AT,
    PARTS,
    RESULT,
    SECTION_HEADER,
    SECTIONS_AT,
    RecordKind,
    in_order,
    memory_in,
)
from lab.records import Memory


def section(data: bytes, length: int | None = None, argument: int = 1, part: str = "") -> bytes:
    told = len(data) if length is None else length
    return SECTION_HEADER.pack(told, argument, PARTS.index(part), len(data)) + data


def memory(data: bytes, length: int, at_exit: bool = False, part: str = "") -> Memory:
    return Memory(1, part, at_exit, data, length)


def test_the_header_is_where_the_programs_write_it() -> None:
    record = HEADER.pack(1, 2, 0x0304, 0x0506)
    assert (record[KIND_AT], record[NUMBER_AT]) == (0x04, 0x06)
    assert HEADER.size == BODY_AT


def test_records_of_several_processors_are_put_in_order() -> None:
    records = [HEADER.pack(time_ns, 7, 0, number) for number, time_ns in enumerate((30, 10, 20))]
    assert in_order(records, 5) == [(5, records[1]), (15, records[2]), (25, records[0])]


def test_what_has_the_same_time_stays_as_it_came() -> None:
    records = [HEADER.pack(10, 7, kind, 1) for kind in (RecordKind.RETURNED, RecordKind.ENTERED)]
    assert [record for _, record in in_order(records, 0)] == records


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (RecordKind.ENTERED, ARGUMENTS.pack(*range(6))),
        (RecordKind.RETURNED, RESULT.pack(-9)),
    ],
)
def test_memory_stands_behind_the_arguments_or_the_result(kind: RecordKind, body: bytes) -> None:
    record = HEADER.pack(10, 7, kind, 1) + body + section(b"out", 300)
    at_exit = kind is RecordKind.RETURNED
    assert memory_in(record, SECTIONS_AT[kind], at_exit) == (memory(b"out", 300, at_exit),)
    assert memory_in(record[: SECTIONS_AT[kind]], SECTIONS_AT[kind], at_exit) == ()


def test_every_part_of_a_message_is_distinguished() -> None:
    parts = ("name", "data", "control")
    sections = b"".join(section(part.encode(), part=part) for part in parts)
    assert memory_in(sections, 0, False) == tuple(
        memory(part.encode(), len(part), part=part) for part in parts
    )


def test_what_could_not_be_read_is_left_out() -> None:
    assert memory_in(section(b"", 300) + section(b"", 0), 0, False) == (memory(b"", 0),)
