"""The records that the BPF programs write of calls and tasks, and what is in them.

Pure: bytes in, values out. Each has a header; what follows depends on its kind. An entry or a
return may be followed by sections, a header and bytes for each piece of the program's memory: an
entry if the kernel reads what the call's pointers point to, a return if it fills that.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable, Iterable
from operator import itemgetter

from lab.records import Memory

RawRecord = tuple[int, bytes]
"""A time in nanoseconds, and a record."""

Handler = Callable[[int, bytes], None]
"""A function that takes a record's time and the record."""


class RecordKind(enum.IntEnum):
    """What a record is of."""

    ENTERED = 0
    RETURNED = 1
    I386_ENTERED = 2
    """A call by the i386 table, which has other numbers."""
    I386_RETURNED = 3
    NEW_TASK = 4
    EXECUTED = 5
    """execve(2) has succeeded."""
    ENDED = 6
    SIGNALLED = 7
    """A signal was delivered to a handler, or ended the process."""
    SENT = 8
    RECEIVED = 9


HEADER = struct.Struct("=QIHH")
"""Time (CLOCK_TAI), tid in the initial pid namespace, kind, and the call's number; else 0."""

KIND_AT, NUMBER_AT, BODY_AT = 12, 14, HEADER.size

ARGUMENTS = struct.Struct("=6Q")
"""Behind an entry's header, as the registers have them."""
RESULT = struct.Struct("=q")
NEW = struct.Struct("=QII")
"""The flags of clone(2), and the new thread's tid in the initial pid namespace and in the one that
is followed: 0 if unknown."""
BEFORE = struct.Struct("=I4x")
"""The tid that the thread had before its execve(2)."""
SIGNAL = struct.Struct("=QQ")
"""The handler's address, or 0 or 1 for none; the flags of sigaction(2)."""
LENGTH = struct.Struct("=QHHii4x")
"""A socket's address in the kernel, its family and protocol; the result, and the call's flags."""

SECTION_HEADER = struct.Struct("=QBBH")
"""The length of the whole, the argument's index, the part's (`PARTS`), how many bytes follow."""

PARTS = ("", "name", "data", "control")
"""Memory.part, by its number in a section."""

SECTIONS_AT = {
    RecordKind.ENTERED: HEADER.size + ARGUMENTS.size,
    RecordKind.RETURNED: HEADER.size + RESULT.size,
}
"""Where a record's sections begin."""

_time_in = struct.Struct("=Q").unpack_from
kind_in = struct.Struct(f"={KIND_AT}xH").unpack_from
"""A record's kind, in a tuple."""


def in_order(records: Iterable[bytes], ahead_ns: int) -> list[RawRecord]:
    """Records in order of time: the processors' are mixed as they came.

    `ahead_ns` is how far their clock is ahead of the one wanted.
    """
    found = [(_time_in(record)[0] - ahead_ns, record) for record in records]
    found.sort(key=itemgetter(0))
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
