"""The records of the programs at io_uring's tracepoints, parsed: bytes in, values out."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from lab.frozen import frozen
from lab.kernel.trace.bpf.records import memory_in
from lab.records import Memory
from lab.syscalls.rings import REQUEST_BYTES, Request, parse_request

CREATED, SUBMITTED, COMPLETED, REGISTERED = range(1, 5)

HEADER = struct.Struct("=QIIHBBIQQQQiIQQ64s")
"""Time (CLOCK_TAI); tid and pid of who ran, in the initial pid namespace; which it is; the opcode;
whether the request was read; the completion's flags; the addresses of ring and request; user_data;
the request's flags; the result, or the ring's descriptor; mode, inode and struct sock of the file;
the struct io_uring_sqe. Sections as those of calls follow."""

(
    TIME, TID, PID, KIND, OPCODE, IS_READ, COMPLETION_FLAGS, RING, REQUEST_AT, USER_DATA, FLAGS,
    RESULT, MODE, INODE, SOCK, SQE,
) = (0, 8, 12, 16, 18, 19, 20, 24, 32, 40, 48, 56, 60, 64, 72, 80)  # fmt: skip
"""Where each is."""

assert HEADER.size == SQE + REQUEST_BYTES


@frozen
class RingRecord:
    """A ring was made, or something registered for it; or a request was submitted or completed."""

    time_ns: int
    """CLOCK_TAI."""
    tid: int
    """Who ran, in the initial pid namespace: the program's thread, or a worker of the kernel's."""
    kind: int
    """CREATED, SUBMITTED, COMPLETED or REGISTERED."""
    ring: int
    """Its address in the kernel, which may be used again."""
    at: int
    """The request's; 0 of a completion that is one of several, and where a ring was made."""
    opcode: int
    user_data: int
    flags: int
    """The request's."""
    result: int
    """Of a completion; of a ring its descriptor."""
    completion_flags: int
    mode: int
    """The file's, as stat(2) has it, where a completed request had one; else 0."""
    inode: int
    sock: int
    """The address of its struct sock, where the file is a socket."""
    request: Request | None
    """None where it was not read, or is not the one that was submitted."""
    memory: tuple[Memory, ...]


def parse_ring_records(records: Iterable[bytes]) -> Iterator[RingRecord]:
    """Each record, in their order."""
    for record in records:
        (
            time_ns, tid, _, kind, opcode, is_read, completion_flags, ring, at, user_data, flags,
            result, mode, inode, sock, data,
        ) = HEADER.unpack_from(record)  # fmt: skip
        request = parse_request(data) if is_read else None
        # A program may write to its queue at any time: what it is now may not be what was taken.
        if request is not None and (request.opcode, request.user_data) != (opcode, user_data):
            request = None
        memory = memory_in(record, HEADER.size, kind == COMPLETED)
        yield RingRecord(
            time_ns, tid, kind, ring, at, opcode, user_data, flags, result, completion_flags,
            mode, inode, sock, request,
            () if kind == SUBMITTED and request is None else memory,
        )  # fmt: skip
