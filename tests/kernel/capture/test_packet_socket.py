"""What all packet sockets have: frames are cut, counted, and no more received."""

from __future__ import annotations

import inside
import pytest

from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.topology import two_hosts

pytestmark = pytest.mark.kernel


def test_frames_are_cut_and_say_how_long_they_were(sandbox: Sandbox) -> None:
    sent = [inside.frame(bytes(1000)), inside.frame(bytes(46))]
    seen, counted, _ = sandbox.call(inside.frames_sent, two_hosts(), sent, 64)
    assert sorted((len(frame.data), frame.wire_bytes) for frame in seen) == [
        (60, 60), (60, 60), (64, 1014), (64, 1014),
    ]  # fmt: skip
    assert [(point.frames, point.dropped) for point in counted] == [(2, 0)] * 2


def counted_after_stop() -> tuple[int, int, int]:
    """Run inside: frames counted before a capture has ended, behind it, and recorded."""
    with inside.captures_of(two_hosts()) as recorder:
        near, far = recorder.captures
        near.send_frame(inside.frame(bytes(46)))
        inside.wait_until_counted(far, 1)
        near.stop()
        before = near.statistics().frames
        near.send_frame(inside.frame(bytes(46)))
        inside.wait_until_counted(far, 2)
        recorder.close_window()
        recorded = sum(frame.point == near.point.name for frame in recorder.frames())
        return before, near.statistics().frames, recorded


def test_what_comes_after_the_end_is_not_counted(sandbox: Sandbox) -> None:
    assert sandbox.call(counted_after_stop) == (1, 1, 1)
