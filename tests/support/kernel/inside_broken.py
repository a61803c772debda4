"""Runs whose instruments break while they record; each function runs inside, in the init."""

from __future__ import annotations

import os
from collections.abc import Collection

from lab.kernel.capture import ring
from lab.kernel.capture.frames import FrameRecorder
from lab.kernel.plan import Plan
from lab.kernel.recorder import record
from lab.kernel.trace.tracefs.collector import Collector
from lab.kernel.trace.tracefs.instance import Instance
from lab.kernel.trace.tracefs.start import end_started
from lab.records import Recording

PAGE_BYTES = 4096


def record_with_two_slots(plan: Plan) -> Recording:
    """With rings that hold two frames."""
    ring.BLOCK_BYTES = ring.RING_MIN_BYTES = ring.RING_MAX_BYTES = PAGE_BYTES
    ring.RING_MIN_SLOTS = PAGE_BYTES // ring.SLOT_MIN_BYTES
    return record(plan)


def record_until_seen(plan: Plan, payload: bytes) -> Recording:
    """With a capture whose socket is another file from when it has seen that payload."""
    take = FrameRecorder.take

    def take_and_close(self: FrameRecorder, _readable: Collection[int] = ()) -> None:
        take(self, _readable)
        if any(payload in frame.data for frame in self.frames):
            other = os.open(os.devnull, os.O_RDONLY)
            os.dup2(other, self.captures[0].fileno())
            os.close(other)

    FrameRecorder.take = take_and_close  # type: ignore[method-assign]
    return record(plan)


def record_with_small_buffers(plan: Plan) -> Recording:
    """Traced by tracefs, with a page for each CPU's events."""
    end_started()  # it has its buffers already

    def shrink(self: Collector, instance: Instance, wanted_kb: int) -> None:
        instance.write("buffer_size_kb", str(PAGE_BYTES >> 10))

    Collector._enlarge = shrink  # type: ignore[method-assign]
    return record(plan)
