"""The process that writes blocks to disk: it finishes when asked, and its end is noticed."""

from __future__ import annotations

import os
import select
import signal
import time
from pathlib import Path

import inside
import pytest

from lab.kernel.capture import writer
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.topology import two_hosts

pytestmark = pytest.mark.kernel


def written_by_itself(count: int) -> int:
    """Run inside: how many frames of `count` are in the spools before anybody asks."""
    with inside.captures_of(two_hosts()) as recorder:
        for number in range(count):
            recorder.captures[0].send_frame(inside.frame(number.to_bytes(4).ljust(46, b"\0")))
        inside.wait_until_counted(recorder.captures[1], count)
        end = time.monotonic() + 5
        while recorder.saved < 2 * count and time.monotonic() < end:
            select.select([], [], [], 0.001)
        return recorder.saved


def test_a_quiet_rings_frames_are_written_before_anybody_asks(sandbox: Sandbox) -> None:
    """The kernel hands a block over after a while, though it is not full."""
    assert sandbox.call(written_by_itself, 10) == 20


def held_by_the_writer() -> set[str]:
    """Run inside: what the descriptors of the process that writes are."""
    with inside.captures_of(two_hosts()) as recorder:
        recorder.captures[0].send_frame(inside.frame(bytes(46)))
        recorder.flush()  # it has begun
        descriptors = Path(f"/proc/{recorder.writer.pid}/fd").iterdir()
        return {str(each.readlink()).partition(":")[0] for each in descriptors}


def test_it_keeps_no_descriptor_of_the_lab_that_it_does_not_need(sandbox: Sandbox) -> None:
    """Its files have no names any more: "/var/tmp/#123 (deleted)"."""
    found = {each for each in sandbox.call(held_by_the_writer) if not each.endswith(" (deleted)")}
    assert found <= {"socket", "pipe", "anon_inode", "/dev/null"}


def finished_after(signal_number: int) -> tuple[bool, bool, bool, int]:
    """Run inside: whether a writer with that signal is noticed by a look, finishes, is gone.

    And how many frames are in the recording.
    """
    with inside.captures_of(two_hosts()) as recorder:
        recorder.captures[0].send_frame(inside.frame(bytes(46)))
        inside.wait_until_counted(recorder.captures[1], 1)
        os.kill(recorder.writer.pid, signal_number)
        if signal_number == signal.SIGKILL:
            select.select(recorder.writer.descriptors(), [], [], 5)
        recorder.take()
        is_noticed = recorder.writer.is_gone
        recorder.close_window()
        return is_noticed, bool(recorder.losses), recorder.writer.is_gone, len(recorder.frames())


def test_one_that_was_killed_is_noticed_and_what_it_left_is_taken(sandbox: Sandbox) -> None:
    assert sandbox.call(finished_after, signal.SIGKILL) == (True, True, True, 2)


def finished_though_it_hangs() -> tuple[bool, bool, bool, int]:
    """Run inside: the same of one that is stopped, and is not waited for long."""
    before, writer.FINISH_DEADLINE_MS = writer.FINISH_DEADLINE_MS, 50
    try:
        return finished_after(signal.SIGSTOP)
    finally:
        writer.FINISH_DEADLINE_MS = before


def test_one_that_hangs_is_killed_before_anybody_takes_over(sandbox: Sandbox) -> None:
    assert sandbox.call(finished_though_it_hangs) == (False, True, True, 2)


def test_one_that_goes_on_finishes(sandbox: Sandbox) -> None:
    assert sandbox.call(finished_after, signal.SIGCONT) == (False, False, False, 2)
