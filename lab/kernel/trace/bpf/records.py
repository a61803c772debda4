"""The records that the BPF programs write, parsed: bytes in, values out."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lab.frozen import frozen
from lab.kernel.trace.bpf.plans import PARTS, RECORD_HEADER, SECTION_HEADER
from lab.records import Memory


@frozen
class PointerArguments:
    """What the pointer arguments of one system call point to."""

    number: int
    """The call's number on this machine."""
    time_ns: int
    """When the memory was read: CLOCK_MONOTONIC plus the difference to CLOCK_REALTIME at the
    time when the ring was read."""
    at_exit: bool
    """Whether it was read when the call returned; else, when the call was made."""
    memory: tuple[Memory, ...]
    """In the order of the call's pointers, without what could not be read."""


def parse_records(records: Iterable[tuple[bytes, int]]) -> dict[int, list[PointerArguments]]:
    """Each thread's calls in order, from records of all threads.

    Each record comes with the nanoseconds to add to its time.
    """
    found: dict[int, list[PointerArguments]] = {}
    for record, difference in records:
        time_ns, tid, number, at_exit = RECORD_HEADER.unpack_from(record)
        memory = memory_in(record, RECORD_HEADER.size, bool(at_exit))
        call = PointerArguments(number, time_ns + difference, bool(at_exit), memory)
        found.setdefault(tid, []).append(call)
    return found


def memory_in(record: bytes, at: int, at_exit: bool) -> tuple[Memory, ...]:
    """What the sections from there on in a record hold, without what could not be read."""
    found = []
    while at < len(record):
        length, argument, part, taken = SECTION_HEADER.unpack_from(record, at)
        at += SECTION_HEADER.size + taken
        if taken or not length:
            found.append(Memory(argument, PARTS[part], at_exit, record[at - taken : at], length))
    return tuple(found)


COMPAT_RECORD = struct.Struct("=QIHHq6Q")
"""Time (ktime_get_ns), tid, the call's number, whether both are of the call's exit; the result,
which means nothing at the entry, and the arguments."""


class CompatCall(NamedTuple):
    """A call by the i386 table was entered, or returned."""

    time_ns: int
    """CLOCK_MONOTONIC plus the difference to CLOCK_REALTIME at the time when the ring was read."""
    tid: int
    """In the initial pid namespace."""
    number: int
    """In the i386 table."""
    at_exit: bool
    result: int
    """0 at the entry."""
    arguments: tuple[int, ...]
    """Six, as the registers have them."""


def parse_compat_records(records: Iterable[tuple[bytes, int]]) -> Iterator[CompatCall]:
    """Each record, in their order. Each comes with the nanoseconds to add to its time."""
    for record, difference in records:
        time_ns, tid, number, at_exit, result, *arguments = COMPAT_RECORD.unpack(record)
        yield CompatCall(
            time_ns + difference,
            tid,
            number,
            bool(at_exit),
            result if at_exit else 0,
            tuple(arguments),
        )
