"""What the run's programs do by rings of io_uring(7), as BPF programs see it.

All is held by descriptors, as in lab/kernel/trace/bpf/call_reader.py.
"""

from __future__ import annotations

import os
import struct
from contextlib import ExitStack

from lab.errors import KernelRefused
from lab.kernel.trace.bpf import bpf
from lab.kernel.trace.bpf.bpf import MapType
from lab.kernel.trace.bpf.btf import kernel_btf
from lab.kernel.trace.bpf.builder import WAKE_UP_BYTES
from lab.kernel.trace.bpf.copies import SCRATCH_BYTES
from lab.kernel.trace.bpf.followed import FollowedNamespace
from lab.kernel.trace.bpf.inside import TaskOffsets
from lab.kernel.trace.bpf.plans import REGISTERS
from lab.kernel.trace.rings.ring_programs import (
    KEPT_BYTES,
    RingMaps,
    RingOffsets,
    completed_program,
    created_program,
    overflown_program,
    registered_program,
    submitted_program,
)

RING_BYTES = 4 * WAKE_UP_BYTES
RINGS_LIMIT = 1024
REQUESTS_LIMIT = 16384
_COUNT = struct.Struct("=Q")
_ADDRESS_BYTES = 8


class RingReader:
    """Reads what is done by the rings that those who are followed make, until `close`."""

    def __init__(self, followed: FollowedNamespace) -> None:
        """Start to read. Raises KernelRefused."""
        self._held = ExitStack()
        try:
            self._install(followed)
        except BaseException:
            self._held.close()
            raise

    def _install(self, followed: FollowedNamespace) -> None:
        if os.uname().machine not in REGISTERS:
            raise KernelRefused(f"read rings by BPF: not known on {os.uname().machine}")
        btf = kernel_btf()
        offsets = RingOffsets.of(btf)
        self._ring = bpf.Ring(RING_BYTES, "wirelab_rings")
        self._held.callback(self._ring.close)
        self._lost = self._map(MapType.ARRAY, 4, _COUNT.size, 1, "wirelab_lost")
        self._rings = self._map(MapType.HASH, _ADDRESS_BYTES, 8, RINGS_LIMIT, "wirelab_rings")
        self._requests = self._map(
            MapType.HASH, _ADDRESS_BYTES, KEPT_BYTES, REQUESTS_LIMIT, "wirelab_reqs"
        )
        maps = RingMaps(
            rings=self._rings,
            requests=self._requests,
            scratch=self._map(MapType.PERCPU_ARRAY, 4, SCRATCH_BYTES, 1, "wirelab_scratch"),
            ring=self._ring.map,
            lost=self._lost,
            followed=followed.map,
            tasks=TaskOffsets.of(btf),
        )
        self._attach_completed(maps, offsets)
        self._attach_submitted(submitted_program(maps, offsets, 0))
        codes = {
            "io_uring_cqe_overflow": overflown_program(maps, offsets),
            "io_uring_register": registered_program(maps, offsets),
            "io_uring_req_failed": submitted_program(maps, offsets, 1),
            # Last: a ring whose beginning is seen is seen whole.
            "io_uring_create": created_program(maps, offsets),
        }
        for tracepoint, code in codes.items():
            self._attach(code, tracepoint)

    def _attach_completed(self, maps: RingMaps, offsets: RingOffsets) -> None:
        """The kernel refuses a program that uses more arguments than its tracepoint has."""
        try:
            code = completed_program(maps, offsets, has_fields=True)
            self._attach(code, "io_uring_complete")
        except KernelRefused:
            code = completed_program(maps, offsets, has_fields=False)
            self._attach(code, "io_uring_complete")

    def _attach_submitted(self, code: bytes) -> None:
        """Until Linux 6.2 the tracepoint has another name."""
        try:
            self._attach(code, "io_uring_submit_req")
        except KernelRefused as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            self._attach(code, "io_uring_submit_sqe")

    def _attach(self, code: bytes, tracepoint: str) -> None:
        program = bpf.load_program(code, f"wirelab_{tracepoint[9:16]}")
        self._held.callback(os.close, program)
        self._held.callback(os.close, bpf.attach(program, tracepoint))

    def _map(self, kind: MapType, key_bytes: int, value_bytes: int, entries: int, name: str) -> int:
        descriptor = bpf.create_map(kind, key_bytes, value_bytes, entries, name)
        self._held.callback(os.close, descriptor)
        return descriptor

    def forget(self) -> None:
        """Keep nothing of the rings there were, when nobody is followed any more.

        Raises KernelRefused.
        """
        for each in (self._rings, self._requests):
            bpf.clear(each, _ADDRESS_BYTES)
        self._ring.read()

    def descriptors(self) -> list[int]:
        """What to poll: readable when the ring has another WAKE_UP_BYTES; then call `take`."""
        return [self._ring.fileno()]

    def take(self) -> list[bytes]:
        """The records since the last call, for `parse_ring_records`; without waiting."""
        return list(bpf.records_of(self._ring.read()))

    @property
    def lost(self) -> int:
        """How many records have been lost so far because the ring was full."""
        return int(_COUNT.unpack(bpf.read_value(self._lost, _COUNT.size))[0])

    def close(self) -> None:
        """Stop reading and free everything."""
        self._held.close()
