"""System calls with what their pointers point to, and what threads do, as BPF programs see them.

Limits. Memory that is not resident is not read: programs at these tracepoints may not wait for
a page. Of a struct iovec[] the first VECTORS_LIMIT buffers are read, so that for a longer one
the length at the entry is only theirs. Of calls by the i386 table it is recorded that they were
made (compat.py).
"""

from __future__ import annotations

import os

from lab.errors import KernelRefused
from lab.kernel.trace.bpf import bpf
from lab.kernel.trace.bpf.bpf import MapType, ProgramReader
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

_ROOM_BYTES = _TID_BYTES = 4


class CallReader(ProgramReader):
    """Reads what those do who are followed, until `close`."""

    def __init__(self, followed: FollowedNamespace) -> None:
        """Start to read. Raises KernelRefused."""
        self.missing: tuple[str, ...] = ()
        """Tracepoints that this kernel lacks, and does without."""
        self._taken: list[bytes] = []
        self._followed = followed
        super().__init__(RING_BYTES, "wirelab")

    def _install(self) -> None:
        machine = os.uname().machine
        if machine not in REGISTERS:
            raise KernelRefused(f"read calls by BPF: a call's registers are unknown on {machine}")
        btf = kernel_btf()
        self._rooms = self._map(MapType.HASH, _TID_BYTES, _ROOM_BYTES, CALLS_LIMIT, "wirelab_rooms")
        maps = Maps(
            plans=self._map(MapType.ARRAY, 4, 2 * NUMBER_LIMIT, 1, "wirelab_plans"),
            rooms=self._rooms,
            scratch=self._map(MapType.PERCPU_ARRAY, 4, SCRATCH_BYTES, 1, "wirelab_scratch"),
            ring=self._ring.map,
            lost=self._lost,
            followed=self._followed.map,
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
            self._attach(tracepoint, code)
        for tracepoint, code in length_programs(maps, btf).items():
            if not self._attach_if_there(tracepoint, code):
                self.missing += (f"sock:{tracepoint}",)

    def forget(self) -> None:
        """See ProgramReader."""
        bpf.clear(self._rooms, _TID_BYTES)
        if i386_numbers():
            bpf.clear(self._made, KEY_BYTES)
        self._ring.read()
        self._taken.clear()

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
