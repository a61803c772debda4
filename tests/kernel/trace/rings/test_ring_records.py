"""Records of the programs at io_uring's tracepoints, parsed."""

from __future__ import annotations

import struct

import pytest

from lab.kernel.trace.bpf.records import SECTION_HEADER
from lab.kernel.trace.rings.ring_records import (
    COMPLETED,
    CREATED,
    FLAGS,
    HEADER,
    INODE,
    IS_READ,
    KIND,
    MODE,
    RESULT,
    SOCK,
    SQE,
    SUBMITTED,
    TID,
    USER_DATA,
    RingRecord,
    parse_ring_records,
)
from lab.syscalls.rings import REQUEST

SEND = REQUEST.pack(26, 0, 0, 5, 0, 0x7000, 5, 0, 77, 0, 0, 0, 0)
TAIL = b"\0" * 8


def record(kind: int, *, opcode: int = 26, is_read: int = 1, sqe: bytes = SEND) -> bytes:
    return (
        HEADER.pack(1, 2, 3, kind, opcode, is_read, 4, 5, 6, 77, 7, -8, 0o140777, 9, 10, sqe)
        + SECTION_HEADER.pack(5, 1, 0, 2)
        + b"he"
    )


def parsed(data: bytes) -> RingRecord:
    (found,) = parse_ring_records([data])
    return found


def test_each_field_is_at_its_place() -> None:
    data = record(COMPLETED)
    for at, code, value in (
        (TID, "I", 2), (KIND, "H", COMPLETED), (IS_READ, "B", 1), (USER_DATA, "Q", 77),
        (FLAGS, "Q", 7), (RESULT, "i", -8), (MODE, "I", 0o140777), (INODE, "Q", 9),
        (SOCK, "Q", 10), (SQE, "B", 26),
    ):  # fmt: skip
        assert struct.unpack_from(f"={code}", data, at) == (value,)
    found = parsed(data)
    assert (found.tid, found.ring, found.at, found.result) == (2, 5, 6, -8)
    assert (found.inode, found.sock, found.completion_flags) == (9, 10, 4)


def test_a_request_has_what_its_memory_holds() -> None:
    found = parsed(record(SUBMITTED))
    assert found.request is not None
    assert (found.request.fd, found.request.len) == (5, 5)
    (memory,) = found.memory
    assert (memory.argument, memory.data, memory.length, memory.at_exit) == (1, b"he", 5, False)
    assert parsed(record(COMPLETED)).memory[0].at_exit
    assert parsed(record(CREATED)).kind == CREATED


@pytest.mark.parametrize(
    ("is_read", "opcode", "sqe"),
    [
        (0, 26, SEND),
        (1, 27, SEND),
        (1, 26, SEND[:32] + struct.pack("=Q", 78) + SEND[40:]),
    ],
)
def test_a_request_that_is_not_the_one_that_was_taken_says_nothing(
    is_read: int, opcode: int, sqe: bytes
) -> None:
    """The program may have written to its queue in between."""
    found = parsed(record(SUBMITTED, is_read=is_read, opcode=opcode, sqe=sqe))
    assert (found.request, found.memory) == (None, ())
    assert found.user_data == 77
