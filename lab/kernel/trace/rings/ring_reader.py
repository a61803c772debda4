"""What the run's programs do by rings of io_uring(7), as BPF programs see it."""

from __future__ import annotations

from lab.errors import KernelRefused
from lab.kernel.trace.bpf import bpf
from lab.kernel.trace.bpf.bpf import MapType, ProgramReader
from lab.kernel.trace.bpf.btf import kernel_btf
from lab.kernel.trace.bpf.builder import WAKE_UP_BYTES
from lab.kernel.trace.bpf.copies import SCRATCH_BYTES
from lab.kernel.trace.bpf.followed import FollowedNamespace
from lab.kernel.trace.bpf.inside import TaskOffsets
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
_ADDRESS_BYTES = 8


class RingReader(ProgramReader):
    """Reads what is done by the rings that those who are followed make, until `close`."""

    def __init__(self, followed: FollowedNamespace) -> None:
        """Start to read. Raises KernelRefused."""
        self._followed = followed
        super().__init__(RING_BYTES, "wirelab_rings")

    def _install(self) -> None:
        btf = kernel_btf()
        offsets = RingOffsets.of(btf)
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
            followed=self._followed.map,
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
            self._attach(tracepoint, code)

    def _attach_completed(self, maps: RingMaps, offsets: RingOffsets) -> None:
        """The kernel refuses a program that uses more arguments than its tracepoint has."""
        try:
            code = completed_program(maps, offsets, has_fields=True)
            self._attach("io_uring_complete", code)
        except KernelRefused:
            code = completed_program(maps, offsets, has_fields=False)
            self._attach("io_uring_complete", code)

    def _attach_submitted(self, code: bytes) -> None:
        """Until Linux 6.2 the tracepoint has another name."""
        if not self._attach_if_there("io_uring_submit_req", code):
            self._attach("io_uring_submit_sqe", code)

    def forget(self) -> None:
        """See ProgramReader."""
        for each in (self._rings, self._requests):
            bpf.clear(each, _ADDRESS_BYTES)
        self._ring.read()

    def take(self) -> list[bytes]:
        """The records since the last call, for `parse_ring_records`; without waiting."""
        return list(bpf.records_of(self._ring.read()))
