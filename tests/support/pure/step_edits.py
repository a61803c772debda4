"""Edits of recordings of several steps, by what is true of a crossing rather than its number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import recorded as r

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.crossing import Crossing
from lab.analysis.judging import judge
from lab.model.claim import Verdict
from lab.model.scenario import Scenario
from lab.records import Frame, Recording

Wanted = Callable[[Crossing], object]


recording_of = r.recording_of


def verdict_of(scenario: Scenario, claim: str, recording: Recording) -> Verdict:
    """The one claim's verdict alone, as `judge` gives it."""
    claims = [each for each in scenario.claims if each.id == claim]
    (judgement,) = judge(claims, build_timelines(recording))
    return judgement.verdict


def frames_of(recording: Recording, step: str, wanted: Wanted) -> list[list[Frame]]:
    """Of each such crossing of the step, its frames; there must be one."""
    (timeline,) = (each for each in build_timelines(recording) if each.step == step)
    found = []
    for crossing in timeline.crossings:
        if wanted(crossing):
            times = (crossing.sent_ns, crossing.received_ns)
            data = crossing.packet.frame.data
            found.append([f for f in recording.frames if f.data == data and f.time_ns in times])
    assert found, "an edit of nothing breaks nothing"
    return found


def without(step: str, wanted: Wanted) -> r.Edit:
    """Such crossings never happened."""

    def edit(recording: Recording) -> Recording:
        gone = [frame for frames in frames_of(recording, step, wanted) for frame in frames]
        return r.with_frames(recording, [f for f in recording.frames if f not in gone])

    return edit


def changed(step: str, wanted: Wanted, change: r.Change, *, fix: bool = True) -> r.Edit:
    """Such crossings had other bytes, with right TCP checksums if `fix`."""

    def edit(recording: Recording) -> Recording:
        old = [frame for frames in frames_of(recording, step, wanted) for frame in frames]
        frames = []
        for frame in recording.frames:
            if frame in old:
                data = change(frame.data)
                data = r.with_checksums(data) if fix else data
                frame = replace(frame, data=data, wire_bytes=len(data))
            frames.append(frame)
        return r.with_frames(recording, frames)

    return edit


def with_more(step: str, wanted: Wanted, change: r.Change) -> r.Edit:
    """After the first such crossing, another one like it with other bytes."""

    def edit(recording: Recording) -> Recording:
        first = frames_of(recording, step, wanted)[0]
        more = []
        for frame in first:
            data = change(frame.data)
            more.append(replace(frame, data=data, wire_bytes=len(data), time_ns=frame.time_ns + 1))
        return r.with_frames(recording, [*recording.frames, *more])

    return edit


def without_a_canary(step: str) -> r.Edit:
    """One opening canary of the step was never seen."""

    def edit(recording: Recording) -> Recording:
        canary = next(c for c in recording.canaries if c.step == step)
        frames = [f for f in recording.frames if f.data[r.ETHERNET :] != canary.payload]
        return r.with_frames(recording, frames)

    return edit


def with_drops(recording: Recording) -> Recording:
    """The kernel dropped a frame at every point."""
    points = tuple(replace(p, dropped=1, frames=p.frames + 1) for p in recording.points)
    return replace(recording, points=points)
