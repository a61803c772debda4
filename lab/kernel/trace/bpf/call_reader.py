"""System calls with what their pointers point to, and what threads do, as BPF programs see them.

All is held by descriptors: the kernel frees it when the last process that has them ends, children
forked meanwhile included.

Limits. Memory that is not resident is not read: programs at these tracepoints may not wait for
a page. Of a struct iovec[] the first VECTORS_LIMIT buffers are read, so that for a longer one
the length at the entry is only theirs. Of calls by the i386 table it is recorded that they were
made (compat.py).
"""

from __future__ import annotations

import os
import struct
from contextlib import ExitStack

from lab.errors import KernelRefused
from lab.kernel.trace.bpf import bpf
from lab.kernel.trace.bpf.bpf import MapType
from lab.kernel.trace.bpf.btf import kernel_btf
from lab.kernel.trace.bpf.builder import WAKE_UP_BYTES, Maps
from lab.kernel.trace.bpf.compat import KEY_BYTES, CompatMaps, CompatOffsets
from lab.kernel.trace.bpf.copies import SCRATCH_BYTES
from lab.kernel.trace.bpf.followed import FollowedNamespace
from lab.kernel.trace.bpf.inside import TaskOffsets
from lab.kernel.trace.bpf.plans import NUMBER_LIMIT, REGISTERS, call_plans
from lab.kernel.trace.bpf.programs import entry_program, exit_program
from lab.kernel.trace.bpf.task_programs import length_programs, task_programs
from lab.syscalls.i386 import i386_numbers

RING_BYTES = 8 * WAKE_UP_BYTES
CALLS_LIMIT = 4096
"""How many threads at once can be in a call with a value-result argument."""
COMPAT_LIMIT = 4096
"""How many kinds of calls by the i386 table are recorded once, of all processes; others, always."""

_COUNT = struct.Struct("=Q")
_ROOM_BYTES = _TID_BYTES = 4


class CallReader:
    """Reads what those do who are followed, until `close`."""

    def __init__(self, followed: FollowedNamespace) -> None:
        """Start to read. Raises KernelRefused."""
        self.missing: tuple[str, ...] = ()
        """Tracepoints that this kernel lacks, and does without."""
        self._held = ExitStack()
        self._taken: list[bytes] = []
        try:
            self._install(followed)
        except BaseException:
            self._held.close()
            raise

    def _install(self, followed: FollowedNamespace) -> None:
        machine = os.uname().machine
        if machine not in REGISTERS:
            raise KernelRefused(f"read calls by BPF: a call's registers are unknown on {machine}")
        btf = kernel_btf()
        self._ring = bpf.Ring(RING_BYTES, "wirelab")
        self._held.callback(self._ring.close)
        self._rooms = self._map(MapType.HASH, _TID_BYTES, _ROOM_BYTES, CALLS_LIMIT, "wirelab_rooms")
        self._lost = self._map(MapType.ARRAY, 4, _COUNT.size, 1, "wirelab_lost")
        maps = Maps(
            plans=self._map(MapType.ARRAY, 4, 2 * NUMBER_LIMIT, 1, "wirelab_plans"),
            rooms=self._rooms,
            scratch=self._map(MapType.PERCPU_ARRAY, 4, SCRATCH_BYTES, 1, "wirelab_scratch"),
            ring=self._ring.map,
            lost=self._lost,
            followed=followed.map,
            offsets=TaskOffsets.of(btf),
        )
        plans, by_number = call_plans(machine)
        i386 = i386_numbers().values()
        wanted = bytes(number in i386 for number in range(NUMBER_LIMIT))
        bpf.write_value(maps.plans, by_number + wanted)
        compat = None
        if i386:
            self._made = self._map(MapType.HASH, KEY_BYTES, 4, COMPAT_LIMIT, "wirelab_made")
            compat = CompatMaps(self._made, CompatOffsets.of(btf))
        registers = REGISTERS[machine]
        codes = {
            **task_programs(maps, btf),
            "sys_exit": exit_program(maps, plans, registers, compat),
            "sys_enter": entry_program(maps, plans, registers, compat),
        }
        for tracepoint, code in codes.items():
            self._attach(code, tracepoint)
        for tracepoint, code in length_programs(maps, btf).items():
            try:
                self._attach(code, tracepoint)
            except KernelRefused as error:
                if not isinstance(error.__cause__, FileNotFoundError):
                    raise
                self.missing += (f"sock:{tracepoint}",)

    def _map(self, kind: MapType, key_bytes: int, value_bytes: int, entries: int, name: str) -> int:
        descriptor = bpf.create_map(kind, key_bytes, value_bytes, entries, name)
        self._held.callback(os.close, descriptor)
        return descriptor

    def _attach(self, code: bytes, tracepoint: str) -> None:
        program = bpf.load_program(code, f"wirelab_{tracepoint}"[:15])
        self._held.callback(os.close, program)
        self._held.callback(os.close, bpf.attach(program, tracepoint))

    def forget(self) -> None:
        """Keep nothing of what was recorded; nobody is followed any more. Raises KernelRefused.

        Whoever was must have ended: one that is in a call may leave something yet.
        """
        bpf.clear(self._rooms, _TID_BYTES)
        if i386_numbers():
            bpf.clear(self._made, KEY_BYTES)
        self._ring.read()
        self._taken.clear()

    def descriptors(self) -> list[int]:
        """What to poll: readable when the ring has another WAKE_UP_BYTES; then call `take`."""
        return [self._ring.fileno()]

    def take(self) -> None:
        """Empty the ring, without waiting."""
        if taken := self._ring.read():
            self._taken.append(taken)

    @property
    def size_bytes(self) -> int:
        """How much is kept of what was taken."""
        return sum(map(len, self._taken))

    def read(self) -> list[bytes]:
        """What was taken since `read` was last called: chunks for `bpf.records_of`."""
        taken, self._taken = self._taken, []
        return taken

    @property
    def lost(self) -> int:
        """How many records have been lost so far because the ring was full."""
        return int(_COUNT.unpack(bpf.read_value(self._lost, _COUNT.size))[0])

    def close(self) -> None:
        """Stop reading and free everything."""
        self._held.close()
