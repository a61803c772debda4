"""Pointer arguments: what they point to, copied by BPF programs as the system calls happen.

Traced are the processes of one pid namespace except its pid 1, and the process that opens the
reader if that is in it; those of pid namespaces made inside it are not. Everything is held by
descriptors: the kernel frees it all when the last process that has them ends, children forked
meanwhile included.

Limits. Memory that is not resident is not read: programs at these tracepoints may not wait for
a page. Of a struct iovec[] the first VECTORS_LIMIT buffers are read, so that for a longer one
the length at the entry is only theirs. Of calls of 32-bit programs is read that they were made
(compat.py); where that is impossible, what is read for them means nothing: they have other numbers.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Collection
from contextlib import ExitStack
from typing import NamedTuple

from lab.errors import KernelRefused
from lab.kernel.trace.bpf import bpf
from lab.kernel.trace.bpf.bpf import MapType
from lab.kernel.trace.bpf.btf import kernel_btf
from lab.kernel.trace.bpf.builder import RING_BYTES, Maps
from lab.kernel.trace.bpf.compat import KEY_BYTES, CompatMaps, CompatOffsets
from lab.kernel.trace.bpf.copies import SCRATCH_BYTES
from lab.kernel.trace.bpf.pid_namespace import LAYOUT, NOWHERE, PidNamespace
from lab.kernel.trace.bpf.plans import (
    NUMBER_LIMIT,
    REGISTERS,
    call_plans,
    plans_at_work,
)
from lab.kernel.trace.bpf.programs import entry_program, exit_program
from lab.kernel.trace.bpf.records import (
    CompatCall,
    PointerArguments,
    parse_compat_records,
    parse_records,
)
from lab.syscalls.i386 import i386_numbers

CALLS_LIMIT = 4096
"""How many threads at once can be in a call with a value-result argument."""

COMPAT_RING_BYTES = 1 << 18
COMPAT_LIMIT = 4096
"""How many kinds of calls by the i386 table are recorded once, of all processes; others, always."""

_LOST = struct.Struct("=QQ")
_ROOM_BYTES = _TID_BYTES = 4


class CompatReader(NamedTuple):
    """What is read of calls by the i386 table."""

    made: int
    """The map of what has been made."""
    ring: bpf.Ring


class PointerReader:
    """Reads pointer arguments of the namespace that `follow` says, until `close`."""

    def __init__(
        self, ring: bpf.Ring, maps: Maps, compat: CompatReader | None, held: ExitStack
    ) -> None:
        self._ring = ring
        self._maps = maps
        self._compat = compat
        self._held = held
        self._taken: list[tuple[bytes, int]] = []
        self._compat_taken: list[tuple[bytes, int]] = []

    @classmethod
    def open(cls, without: Collection[int]) -> PointerReader:
        """A reader that follows no namespace yet. Raises KernelRefused.

        `without` are the pids, in any that it will follow, of processes that are not traced.
        """
        held = ExitStack()
        try:
            reader = _install(held, without)
        except BaseException:
            held.close()
            raise
        return reader

    def follow(self, namespace: PidNamespace) -> None:
        """Read what its processes do, and those of no other. Raises KernelRefused."""
        bpf.write_value(self._maps.inside, namespace.packed())

    def forget(self) -> None:
        """Follow none, and keep nothing of the one that was followed. Raises KernelRefused.

        Its processes must have ended: one that is in a call may leave something yet.
        """
        bpf.write_value(self._maps.inside, NOWHERE.packed())
        bpf.clear(self._maps.rooms, _TID_BYTES)
        self._ring.read()
        self._taken.clear()
        if self._compat is not None:
            bpf.clear(self._compat.made, KEY_BYTES)
            self._compat.ring.read()
        self._compat_taken.clear()

    @property
    def finds_compat(self) -> bool:
        """Whether calls by the i386 table are found."""
        return self._compat is not None

    def descriptors(self) -> list[int]:
        """What to poll: when one is readable, a ring is filling; then call `take`."""
        return [ring.fileno() for ring, _ in self._rings()]

    def take(self) -> None:
        """Empty the rings, without waiting."""
        for ring, kept in self._rings():
            if taken := ring.read():
                # Both clocks are slewed alike; only setting CLOCK_REALTIME changes the difference.
                kept.append((taken, _clock_difference_ns()))

    def read(self) -> dict[int, list[PointerArguments]]:
        """Each thread's calls in order, by its tid in the initial pid namespace.

        Those whose records were taken since `read` was last called. Every call that has pointers
        in the table has a record, even if no memory could be read, except for the `lost` ones. If
        the kernel fills what they point to, the record is written when the call returns.
        """
        taken, self._taken = self._taken, []
        return parse_records(
            (record, difference) for chunk, difference in taken for record in bpf.records_of(chunk)
        )

    def read_compat(self) -> list[CompatCall]:
        """Entries and returns by the i386 table, in order of time, of the first of each kind.

        Those whose records were taken since `read_compat` was last called.
        """
        taken, self._compat_taken = self._compat_taken, []
        return sorted(
            parse_compat_records(
                (record, difference)
                for chunk, difference in taken
                for record in bpf.records_of(chunk)
            )
        )

    @property
    def lost(self) -> int:
        """How many calls have been lost so far because the ring was full."""
        return int(self._losses()[0])

    @property
    def lost_compat(self) -> int:
        """How many records of calls by the i386 table have been lost so far."""
        return int(self._losses()[1])

    def _rings(self) -> list[tuple[bpf.Ring, list[tuple[bytes, int]]]]:
        """Each with what was taken from it."""
        compat = [] if self._compat is None else [(self._compat.ring, self._compat_taken)]
        return [(self._ring, self._taken), *compat]

    def _losses(self) -> tuple[int, ...]:
        return _LOST.unpack(bpf.read_value(self._maps.lost, _LOST.size))

    def close(self) -> None:
        """Stop reading and free everything."""
        self._held.close()


def _install(held: ExitStack, without: Collection[int]) -> PointerReader:
    """A reader. `held` closes all that it has."""
    machine = os.uname().machine
    if machine not in REGISTERS:
        raise KernelRefused(f"read memory by BPF: a call's registers are unknown on {machine}")
    ring = bpf.Ring(RING_BYTES, "wirelab")
    held.callback(ring.close)

    def new_map(kind: MapType, key_bytes: int, value_bytes: int, entries: int, name: str) -> int:
        descriptor = bpf.create_map(kind, key_bytes, value_bytes, entries, name)
        held.callback(os.close, descriptor)
        return descriptor

    maps = Maps(
        plans=new_map(MapType.ARRAY, 4, 3 * NUMBER_LIMIT, 1, "wirelab_plans"),
        rooms=new_map(MapType.HASH, _TID_BYTES, _ROOM_BYTES, CALLS_LIMIT, "wirelab_rooms"),
        scratch=new_map(MapType.PERCPU_ARRAY, 4, SCRATCH_BYTES, 1, "wirelab_scratch"),
        ring=ring.map,
        lost=new_map(MapType.ARRAY, 4, _LOST.size, 1, "wirelab_lost"),
        inside=new_map(MapType.ARRAY, 4, LAYOUT.size, 1, "wirelab_inside"),
    )
    plans, by_number = call_plans(machine)
    at_entry, at_exit = (plans_at_work(plans, by_number, at_exit) for at_exit in (False, True))
    by_i386 = i386_numbers().values()
    wanted = bytes(number in by_i386 for number in range(NUMBER_LIMIT))
    bpf.write_value(maps.plans, at_entry + at_exit + wanted)
    registers = REGISTERS[machine]

    def load(compat: CompatMaps | None) -> dict[str, int]:
        codes = {
            "sys_exit": exit_program(maps, plans, registers, without, compat),
            "sys_enter": entry_program(maps, plans, registers, without, compat),
        }
        loaded = {}
        for tracepoint, code in codes.items():
            loaded[tracepoint] = bpf.load_program(code, f"wirelab_{tracepoint[4:]}")
            held.callback(os.close, loaded[tracepoint])
        return loaded

    compat = None
    try:
        offsets = CompatOffsets.of(kernel_btf()) if by_i386 else None
        if offsets is not None:
            made = new_map(MapType.HASH, KEY_BYTES, 4, COMPAT_LIMIT, "wirelab_made")
            compat_ring = bpf.Ring(COMPAT_RING_BYTES, "wirelab_i386")
            held.callback(compat_ring.close)
            programs = load(
                CompatMaps(maps.plans, made, compat_ring.map, maps.lost, maps.inside, offsets)
            )
            compat = CompatReader(made, compat_ring)
    except KernelRefused:
        pass  # an older kernel; `finds_compat` says so
    if compat is None:
        programs = load(None)
    for tracepoint, program in programs.items():
        held.callback(os.close, bpf.attach(program, tracepoint))
    return PointerReader(ring, maps, compat, held)


def _clock_difference_ns() -> int:
    """CLOCK_REALTIME less CLOCK_MONOTONIC, by the quickest of three readings."""
    readings = []
    for _ in range(3):
        before_ns, real_ns, after_ns = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        readings.append((after_ns - before_ns, real_ns - (before_ns + after_ns) // 2))
    return min(readings)[1]
