"""Runs whose instruments break while they record; each function runs inside, in the init."""

from __future__ import annotations

import os
import resource
import select
import signal
from dataclasses import replace

from lab.kernel.capture.capturing import Capturing
from lab.kernel.capture.drain import Drain
from lab.kernel.capture.frames import FrameRecorder
from lab.kernel.capture.ring import BLOCK_BYTES
from lab.kernel.plan import Plan
from lab.kernel.recorder import record
from lab.kernel.trace.bpf import call_reader
from lab.kernel.trace.bpf.code import Code
from lab.kernel.trace.collecting.start import end_started
from lab.kernel.tracers import why_no_tracer
from lab.records import Recording

PAGE_BYTES = 4096


def record_unwritten(plan: Plan) -> Recording:
    """With rings of two blocks, which nobody empties before the end."""

    def leave(self: Drain, number: int) -> None:
        select.select([], [], [], 0.01)  # the ring stays readable, so that this is called again

    take, finish = Drain.take, Drain.finish
    Drain.take = leave  # type: ignore[method-assign]

    def take_and_finish(self: Drain) -> None:
        Drain.take = take  # type: ignore[method-assign]
        finish(self)

    Drain.finish = take_and_finish  # type: ignore[method-assign]
    return record(replace(plan, capturing=Capturing(ring_bytes=2 * BLOCK_BYTES)))


def record_and_kill_writer(plan: Plan) -> Recording:
    """With a process that writes the frames to disk and is killed while programs run."""
    come = FrameRecorder.come

    def kill_and_come(self: FrameRecorder) -> int:
        os.kill(self.writer.pid, signal.SIGKILL)
        return come(self)

    FrameRecorder.come = kill_and_come  # type: ignore[method-assign]
    return record(plan)


def record_on_full_disk(plan: Plan) -> Recording:
    """With files that frames are written to of which the kernel allows nobody to make longer ones.

    Source: getrlimit(2), RLIMIT_FSIZE.
    """
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PAGE_BYTES, before[1]))
    return record(plan)


def record_until_come(plan: Plan) -> Recording:
    """With a capture whose socket is another file from when programs run."""
    come = FrameRecorder.come

    def come_and_close(self: FrameRecorder) -> int:
        other = os.open(os.devnull, os.O_RDONLY)
        os.dup2(other, self.captures[0].ring.fileno())
        os.close(other)
        return come(self)

    FrameRecorder.come = come_and_close  # type: ignore[method-assign]
    return record(plan)


def record_with_a_small_ring(plan: Plan) -> Recording:
    """Traced by BPF, with a page for all records."""
    end_started()  # it has its ring already
    call_reader.RING_BYTES = PAGE_BYTES
    return record(plan)


def record_with_a_refused_program(plan: Plan) -> Recording:
    """With one of BPF that the kernel's verifier does not pass, though it passes the probe."""
    _have_one_refused()
    return record(plan)


def why_no_bpf_with_a_refused_program() -> str:
    """What is said of that."""
    _have_one_refused()
    return why_no_tracer("bpf")


def _have_one_refused() -> None:
    end_started()  # it has loaded its own already
    code = Code()
    code.exit()  # without a result
    setattr(call_reader, "entry_program", lambda *_: code.assemble())  # noqa: B010
