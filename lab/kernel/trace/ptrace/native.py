"""The loop in C of stops.c, as the loop in Python uses it: what it is given, what it has recorded.

Records of calls are kept as they are until the end. Samples of sockets are taken over before
Python serves a stop itself, since the next depends on them.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from lab.errors import InstrumentError
from lab.kernel.system.seccomp import AUDIT_ARCHITECTURES
from lab.kernel.system.tcp import INFO_BYTES
from lab.kernel.trace.ptrace.calls import CallFacts, CallRecorder, StopPlan, Task
from lab.kernel.trace.ptrace.pointers import INT_LENGTHS, Before, Read
from lab.kernel.trace.ptrace.socket_samples import CONNECTED, Socket, TakenSample
from lab.records import MEMORY_LIMIT_BYTES
from lab.syscalls.table import BARE, CALLS, Layout, Size

OTHER, NO_TASK, FULL = 0, 1, 2
"""What stops_run returns: a stop for Python, no task is left, what it records in is full."""

_NUMBERS, _POINTERS = 1024, 3
_CALL_BYTES, _SAMPLES = 1 << 16, 256

# The structs of stops.c.
_PLAN = struct.Struct("=8B2b2B" + "4BI" * _POINTERS)
_CALL = struct.Struct("=IIiiIIQqqqQ6Q")
_READ = struct.Struct("=BB2xIQ")
_SAMPLE = struct.Struct(f"=qQi3Bx2i4I32s32s32s{INFO_BYTES}s")
_BEFORE = struct.Struct("=6Q")
_MOST_BYTES = _CALL.size + _POINTERS * (_READ.size + MEMORY_LIMIT_BYTES)

_SIZES = {
    Size.ARGUMENT: 0,
    Size.RESULT: 1,
    Size.VALUE_RESULT: 2,
    Size.FIXED: 3,
    Size.ITEMS: 4,
}
_UNKNOWN, _PLAIN, _UNIX = 0, 2, 3


class NativeStops:
    """One tracer's."""

    def __init__(self, library: ctypes.PyDLL, calls: CallRecorder, can_sample: bool) -> None:
        """Raises InstrumentError if the library's structs are not those that are known here."""
        self._calls = calls
        self._can_sample = can_sample
        self._chunks: list[bytes] = []
        self._library = library
        self._run = library.stops_run
        self._samples, self._records = library.stops_samples, library.stops_calls
        self._samples.restype = self._records.restype = ctypes.c_void_p
        library.stops_sizes.restype = ctypes.c_size_t
        sizes = [library.stops_sizes(which) for which in range(4)]
        if sizes != [_PLAN.size, _CALL.size, _SAMPLE.size, _MOST_BYTES]:
            raise InstrumentError(f"stops.c has structs of {sizes} bytes")
        library.stops_known.argtypes = [*[ctypes.c_int] * 4, ctypes.c_void_p]
        library.stops_served.argtypes = [ctypes.c_uint64, ctypes.c_int]
        library.stops_begin.argtypes = [
            ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_int,
            ctypes.c_size_t, ctypes.c_size_t,
        ]  # fmt: skip
        states = bytes(state in CONNECTED for state in range(256))
        begun = library.stops_begin(
            packed_plans(calls.plans), states, AUDIT_ARCHITECTURES[os.uname().machine], can_sample,
            _CALL_BYTES, _SAMPLES,
        )  # fmt: skip
        if begun:
            raise MemoryError
        self._tid, self._status = ctypes.c_int(), ctypes.c_int()
        self._tid_at, self._status_at = ctypes.byref(self._tid), ctypes.byref(self._status)
        self._count = ctypes.c_size_t()
        self._count_at = ctypes.byref(self._count)
        self._copy = ctypes.create_string_buffer(_MOST_BYTES)
        self._before = ctypes.create_string_buffer(_BEFORE.size)

    def run(self) -> tuple[int, int] | None:
        """Serve stops until one is left to Python: its task and wait status; None at the end."""
        while True:
            reason = self._run(self._tid_at, self._status_at)
            self._empty()
            if reason == OTHER:
                return self._tid.value, self._status.value
            if reason == NO_TASK:
                return None

    def serve_from_now(self, task: Task) -> None:
        """Serve the plain stops of a task that is not in the middle of a call."""
        process = task.process
        try:
            memory = process.memory.fileno()
        except OSError:
            return  # it was killed
        pidfd = process.descriptors.pidfd() if self._can_sample else -1
        if self._can_sample and pidfd < 0:
            return  # none is to be had now; Python asks again at each sample
        address = process.descriptors.table.address
        self._library.stops_known(task.tid, process.tgid, memory, pidfd, address)

    def leave(self, task: Task, *, forgets: bool) -> None:
        """Leave the call that a task is making to Python, and its later ones if it `forgets`."""
        size = self._library.stops_leave(task.tid, self._copy, self._before, forgets)
        if size:
            number, facts, inode, reads, entry_ns = _entered(self._copy.raw[:size])
            before = _sizes_before(self._before.raw)
            self._calls.resume(task, number, facts, inode, reads, entry_ns, before)

    def served(self, found: Socket | None) -> None:
        """Note that Python has served a call, which was on that socket."""
        if found is not None:
            kind = _UNKNOWN if found.is_tcp else _UNIX if found.unix_type else _PLAIN
            self._library.stops_served(found.inode, kind)

    def records(self) -> Iterator[CallFacts]:
        """The calls that were served without Python."""
        plans, by_inode = self._calls.plans, self._calls.sockets.by_inode
        for chunk in self._chunks:
            yield from decoded(chunk, plans, lambda inode: by_inode(inode).name)

    def _empty(self) -> None:
        address = self._records(self._count_at)
        if self._count.value:
            self._chunks.append(ctypes.string_at(address, self._count.value))
        address = self._samples(self._count_at)
        if self._count.value:
            for fields in _SAMPLE.iter_unpack(
                ctypes.string_at(address, self._count.value * _SAMPLE.size)
            ):
                self._calls.sockets.take(_taken(fields))


def packed_plans(plans: Mapping[int, StopPlan]) -> bytes:
    """The struct plan[] of stops.c, by the calls' numbers."""
    nothing = bytes(_PLAN.size)
    return b"".join(
        _PLAN.pack(*_plan_fields(plans[number]))
        if number in plans and _is_plain(plans[number])
        else nothing
        for number in range(_NUMBERS)
    )


def _is_plain(plan: StopPlan) -> bool:
    """Whether stops.c can serve the call's stops."""
    pointers = plan.pointers.all
    return (
        len(pointers) <= _POINTERS
        and all(pointer.layout is Layout.BYTES for pointer in pointers)
        and plan.closes == (plan.closed is not None)
    )


def _plan_fields(plan: StopPlan) -> Iterator[int]:
    yield from (True, plan.samples_entry, plan.samples_exit, plan.moves_bytes)
    yield from (plan.reads_queue, plan.accepts, plan.may_change_addresses, plan.name == "connect")
    for argument in (plan.descriptor, plan.closed):
        yield -1 if argument is None else argument
    yield from (len(plan.pointers.all), 0)
    names = CALLS.get(plan.name, BARE).arguments
    for pointer in plan.pointers.all:
        is_int = pointer.size is Size.ARGUMENT and names[pointer.number] in INT_LENGTHS
        yield from (pointer.argument, pointer.at_exit, _SIZES[pointer.size], pointer.number, is_int)
    yield from [0] * 5 * (_POINTERS - len(plan.pointers.all))


def decoded(
    chunk: bytes, plans: Mapping[int, StopPlan], name_of: Callable[[int], str]
) -> Iterator[CallFacts]:
    """The calls of consecutive struct call. Raises struct.error where one is cut off."""
    at = 0
    while at < len(chunk):
        size, number, tgid, tid, count, _, inode, entry_ns, exit_ns, result, _, *arguments = (
            _CALL.unpack_from(chunk, at)
        )
        plan = plans[number]
        reads = list(_reads(chunk, at + _CALL.size, count)) if count else []
        name = name_of(inode) if inode else ""
        given = tuple(arguments[: plan.argument_count])
        yield tgid, tid, plan.name, given, reads, entry_ns, exit_ns, result, name
        at += size


def _reads(chunk: bytes, at: int, count: int) -> Iterable[Read]:
    for _ in range(count):
        argument, at_exit, size, length = _READ.unpack_from(chunk, at)
        at += _READ.size
        yield argument, "", bool(at_exit), chunk[at : at + size], length
        at += (size + 7) & ~7


def _entered(record: bytes) -> tuple[int, tuple[int, ...], int, list[Read], int]:
    """Of a call that is being made: number, facts, inode, what was read, when it was entered."""
    _, number, _, _, count, _, inode, entry_ns, _, _, instruction, *arguments = _CALL.unpack_from(
        record
    )
    facts = instruction, number, *arguments
    return number, facts, inode, list(_reads(record, _CALL.size, count)), entry_ns


def _sizes_before(before: bytes) -> Before:
    sizes = enumerate(_BEFORE.unpack(before))
    return {place: (size & 0xFFFFFFFF,) for place, size in sizes if size}


def _taken(fields: tuple[Any, ...]) -> TakenSample:
    (
        time_ns, inode, tid, state, is_closing, may_change, receive, send,
        local_bytes, remote_bytes, connects_bytes, info_bytes, local, remote, connects, info,
    ) = fields  # fmt: skip
    return TakenSample(
        time_ns,
        inode,
        tid,
        state,
        connects[:connects_bytes] if may_change else None,
        local[:local_bytes],
        remote[:remote_bytes],
        (None if receive < 0 else receive, None if send < 0 else send),
        info[:info_bytes] if is_closing else None,
    )
