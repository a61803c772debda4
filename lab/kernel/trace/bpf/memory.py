"""What the pointers of system calls point to, copied by BPF programs as the calls happen.

Traced are the processes of one pid namespace except its pid 1 and the process that opens the
instrument; those of pid namespaces made inside it are not. Everything is behind descriptors:
the kernel takes it all back when the last process that has them ends, a child forked meanwhile
included.

Limits. Memory that is not resident when it is looked at gives none: programs at these
tracepoints may not wait for a page. Of a struct iovec[] the first VECTORS_LIMIT buffers are
looked at, so that at the entry the length of one that has more is only theirs. Calls of 32-bit
programs have other numbers: their peeks mean nothing.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass

from lab.errors import KernelRefused
from lab.kernel.trace.bpf import bpf
from lab.kernel.trace.bpf.bpf import MapType
from lab.kernel.trace.bpf.builder import RING_BYTES, Maps, Traced
from lab.kernel.trace.bpf.copies import SCRATCH_BYTES
from lab.kernel.trace.bpf.plans import (
    NUMBER_LIMIT,
    PARTS,
    RECORD_HEADER,
    REGISTERS,
    SECTION_HEADER,
    call_plans,
    plans_at_work,
)
from lab.kernel.trace.bpf.programs import entry_program, exit_program
from lab.records import Memory

CALLS_LIMIT = 4096
"""How many threads can be in a call at once whose caller says how much it may write."""

_COUNT = struct.Struct("=Q")
_ROOM_BYTES = 4


@dataclass(frozen=True, slots=True)
class Peek:
    """What was read of one system call's memory."""

    number: int
    """The call's number on this machine."""
    time_ns: int
    """When it was read. CLOCK_MONOTONIC and the clocks' difference when it was taken in."""
    at_exit: bool
    """Whether that was when the call returned; else it was when the call was made."""
    memory: tuple[Memory, ...]
    """In the order of the call's pointers; what could not be read is not there."""


class MemoryPeek:
    """The instrument at work, from `open` to `close`."""

    def __init__(self, ring: bpf.Ring, lost_map: int, held: ExitStack) -> None:
        self._ring = ring
        self._lost_map = lost_map
        self._held = held
        self._taken: list[tuple[bytes, int]] = []

    @classmethod
    def open(cls) -> MemoryPeek:
        """Begin, for the other processes of this process's own pid namespace.

        Raises KernelRefused.
        """
        held = ExitStack()
        try:
            ring, lost = _install(held)
        except BaseException:
            held.close()
            raise
        return cls(ring, lost, held)

    def descriptors(self) -> list[int]:
        """Readable when a quarter of the ring is full; call `take` then."""
        return [self._ring.fileno()]

    def take(self) -> None:
        """Take over what is in the ring, without waiting."""
        taken = self._ring.read()
        if taken:
            # Both clocks are slewed alike; they part only where somebody sets the one.
            self._taken.append((taken, _clock_difference_ns()))

    def peeks(self) -> dict[int, list[Peek]]:
        """What was taken since the last call: each thread's calls, in order.

        Threads by their tid in the initial pid namespace. Every call that has pointers in the
        table is there, with no memory where nothing was to be read, but for the lost ones; where
        the kernel fills what they point to, once it has returned.
        """
        taken, self._taken = self._taken, []
        return join_peeks(
            (record, difference) for chunk, difference in taken for record in bpf.records_of(chunk)
        )

    @property
    def lost(self) -> int:
        """How many calls there was no room for so far."""
        return int(_COUNT.unpack(bpf.read_value(self._lost_map, _COUNT.size))[0])

    def close(self) -> None:
        """End, and give everything back."""
        self._held.close()


def _install(held: ExitStack) -> tuple[bpf.Ring, int]:
    """The ring, and the map that counts what did not fit; `held` closes them and all else."""
    machine = os.uname().machine
    if machine not in REGISTERS:
        raise KernelRefused(f"read memory by BPF: a call's registers are not known on {machine}")
    ring = bpf.Ring(RING_BYTES, "wirelab")
    held.callback(ring.close)

    def new_map(kind: MapType, key_bytes: int, value_bytes: int, entries: int, name: str) -> int:
        descriptor = bpf.create_map(kind, key_bytes, value_bytes, entries, name)
        held.callback(os.close, descriptor)
        return descriptor

    maps = Maps(
        plans=new_map(MapType.ARRAY, 4, 2 * NUMBER_LIMIT, 1, "wirelab_plans"),
        rooms=new_map(MapType.HASH, 4, _ROOM_BYTES, CALLS_LIMIT, "wirelab_rooms"),
        scratch=new_map(MapType.PERCPU_ARRAY, 4, SCRATCH_BYTES, 1, "wirelab_scratch"),
        ring=ring.map,
        lost=new_map(MapType.ARRAY, 4, _COUNT.size, 1, "wirelab_lost"),
    )
    plans, by_number = call_plans(machine)
    at_entry, at_exit = (plans_at_work(plans, by_number, at_exit) for at_exit in (False, True))
    bpf.write_value(maps.plans, at_entry + at_exit)
    registers = REGISTERS[machine]
    traced = Traced(_own_pid_namespace(), {1, os.getpid()})
    codes = {
        "sys_exit": exit_program(maps, plans, registers, traced),
        "sys_enter": entry_program(maps, plans, registers, traced),
    }
    for tracepoint, code in codes.items():
        program = bpf.load_program(code, f"wirelab_{tracepoint[4:]}")
        held.callback(os.close, program)
        held.callback(os.close, bpf.attach(program, tracepoint))
    return ring, maps.lost


def _own_pid_namespace() -> tuple[int, int]:
    """Device and inode of this process's pid namespace, the device as the kernel numbers it."""
    found = os.stat("/proc/self/ns/pid")  # noqa: PTH116
    return os.major(found.st_dev) << 20 | os.minor(found.st_dev), found.st_ino


def _clock_difference_ns() -> int:
    """CLOCK_REALTIME less CLOCK_MONOTONIC, by the quickest of three readings."""
    readings = []
    for _ in range(3):
        before_ns, real_ns, after_ns = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        readings.append((after_ns - before_ns, real_ns - (before_ns + after_ns) // 2))
    return min(readings)[1]


def join_peeks(records: Iterable[tuple[bytes, int]]) -> dict[int, list[Peek]]:
    """The peeks in records, each given with what its time lacks to CLOCK_REALTIME."""
    found: dict[int, list[Peek]] = {}
    for record, difference in records:
        time_ns, tid, number, at_exit = RECORD_HEADER.unpack_from(record)
        memory = _memory_in(record, bool(at_exit))
        peek = Peek(number, time_ns + difference, bool(at_exit), memory)
        found.setdefault(tid, []).append(peek)
    return found


def _memory_in(record: bytes, at_exit: bool) -> tuple[Memory, ...]:
    found = []
    at = RECORD_HEADER.size
    while at < len(record):
        length, argument, part, taken = SECTION_HEADER.unpack_from(record, at)
        at += SECTION_HEADER.size + taken
        if taken or not length:
            found.append(Memory(argument, PARTS[part], at_exit, record[at - taken : at], length))
    return tuple(found)
