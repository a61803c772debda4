"""Canaries: from every point and CPU, waited for until both ends have seen them."""

from __future__ import annotations

import os
import time

import inside
import pytest

from lab.kernel.capture.canaries import Canaries
from lab.kernel.capture.frames import FrameRecorder
from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.system.loop import Loop
from lab.model.topology import two_hosts
from lab.records import CANARY_TEXT, Canary, Frame

pytestmark = pytest.mark.kernel

POINTS = ("client/eth0", "server/eth0")


def send(captured: int) -> tuple[list[Canary], list[Frame], float, set[int]]:
    """Run inside: what was sent and captured by so many of the points, in which time."""
    with inside.captures_of(two_hosts()) as (_, captures):
        recorder, loop = FrameRecorder(captures[:captured]), Loop()
        loop.add(recorder)
        canaries = Canaries(recorder, loop)
        began = time.monotonic()
        canaries.send("talk", "opening")
        taken_s = time.monotonic() - began
        return canaries.sent, recorder.frames, taken_s, os.sched_getaffinity(0)


def test_each_point_sends_one_from_each_cpu_and_both_ends_see_it(sandbox: Sandbox) -> None:
    sent, frames, _, cpus = sandbox.call(send, 2)
    assert sorted(canary.point for canary in sent) == sorted(POINTS * len(cpus))
    assert {(canary.step, canary.bracket) for canary in sent} == {("talk", "opening")}
    assert len({canary.payload for canary in sent}) == len(sent)
    for canary in sent:
        assert canary.payload.startswith(CANARY_TEXT)
        seen = [frame.point for frame in frames if canary.payload in frame.data]
        assert sorted(seen) == list(POINTS)
    assert cpus == os.sched_getaffinity(0)


def test_one_that_the_far_end_does_not_capture_is_waited_for_until_the_deadline(
    sandbox: Sandbox,
) -> None:
    sent, frames, taken_s, _ = sandbox.call(send_to_nobody, 0.05)
    assert taken_s >= 0.05
    assert {canary.point for canary in sent} == {"client/eth0"}
    assert [frame.point for frame in frames] == ["client/eth0"] * len(sent)


def send_to_nobody(deadline_s: float) -> tuple[list[Canary], list[Frame], float, set[int]]:
    """Run inside: the same with a capture at one end alone."""
    from lab.kernel.capture import canaries

    before, canaries.DEADLINE_S = canaries.DEADLINE_S, deadline_s
    try:
        return send(1)
    finally:
        canaries.DEADLINE_S = before
