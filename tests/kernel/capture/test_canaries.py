"""Canaries: from every point and CPU, waited for until both ends have seen them."""

from __future__ import annotations

import os
import time

import inside
import pytest

from lab.kernel.capture import canaries
from lab.kernel.capture.canaries import Canaries
from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.system.loop import Loop
from lab.model.topology import two_hosts
from lab.records import CANARY_TEXT, Canary, Frame

pytestmark = pytest.mark.kernel

POINTS = ("client/eth0", "server/eth0")


def send(deadline_s: float, cut: str = "") -> tuple[list[Canary], tuple[Frame, ...], float]:
    """Run inside: what was sent and captured, in which time; at the point `cut` nothing is."""
    before, canaries.DEADLINE_S = canaries.DEADLINE_S, deadline_s
    with inside.captures_of(two_hosts()) as recorder:
        try:
            for capture in recorder.captures:
                if capture.point.name == cut:
                    capture.stop()
            loop = Loop()
            loop.add(recorder)
            sender = Canaries(recorder, loop)
            began = time.monotonic()
            sender.send("talk", "opening")
            taken_s = time.monotonic() - began
            recorder.close_window()
            return sender.sent, recorder.frames(), taken_s
        finally:
            canaries.DEADLINE_S = before


def test_each_point_sends_one_from_each_cpu_and_both_ends_see_it(sandbox: Sandbox) -> None:
    sent, frames, _ = sandbox.call(send, 5.0)
    cpus = os.sched_getaffinity(0)
    assert sorted(canary.point for canary in sent) == sorted(POINTS * len(cpus))
    assert {(canary.step, canary.bracket) for canary in sent} == {("talk", "opening")}
    assert len({canary.payload for canary in sent}) == len(sent)
    for canary in sent:
        assert canary.payload.startswith(CANARY_TEXT)
        seen = [frame.point for frame in frames if canary.payload in frame.data]
        assert sorted(seen) == list(POINTS)


def test_one_that_the_far_end_does_not_capture_is_waited_for_until_the_deadline(
    sandbox: Sandbox,
) -> None:
    sent, frames, taken_s = sandbox.call(send, 0.05, "server/eth0")
    assert taken_s >= 0.05
    assert {frame.point for frame in frames} == {"client/eth0"}
    # Those that the far end has sent have arrived here.
    assert len(frames) == len(sent)


def test_where_all_are_seen_nothing_is_waited_for(sandbox: Sandbox) -> None:
    """Not even that the kernel hands a block over: they are seen while it is being filled."""
    _, _, taken_s = sandbox.call(send, 3600.0)
    assert taken_s < 3600.0


def allowed_after_a_round() -> bool:
    """Run inside: whether a round leaves this process all the CPUs that it had."""
    before = os.sched_getaffinity(0)
    send(5.0)
    return os.sched_getaffinity(0) == before


def test_a_round_leaves_its_process_every_cpu(sandbox: Sandbox) -> None:
    assert sandbox.call(allowed_after_a_round)
