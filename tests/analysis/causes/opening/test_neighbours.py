"""Requests for a hardware address that nobody answers."""

from __future__ import annotations

import pytest
import recorded as r
import step_edits as s
from causes_found import causes_in

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.crossing import Crossing


def asked(name: str, *, times: int, traced: bool = True) -> dict[str, str]:
    """What is found where the first request comes so often, and nothing else ever."""
    run = s.recording_of(name)
    (timeline, *_) = build_timelines(run)

    def resolves(crossing: Crossing) -> bool:
        return crossing.packet.resolves_neighbour

    request = next(each for each in timeline.crossings if resolves(each))
    points = {"client/eth0"}
    frames = [f for f in run.frames if f.data[r.ETHERNET :] in {c.payload for c in run.canaries}]
    for each in run.frames:
        if each.data == request.packet.frame.data and each.point in points:
            times_ns = [each.time_ns + 1_000_000 * n for n in range(times)]
            from dataclasses import replace

            frames += [replace(each, time_ns=time_ns) for time_ns in times_ns]
    found = causes_in(r.with_frames(run, frames), timeline.step)
    return {name: cause.text for name, cause in found.items()}


@pytest.mark.parametrize("name", ["tcp4", "tcp6"])
def test_a_neighbour_that_never_answers_is_named(name: str) -> None:
    found = asked(name, times=3)
    assert "no-neighbour" in found
    assert "client asks 3 times" in found["no-neighbour"]
    assert "it is server's, which does not answer" in found["no-neighbour"]


def test_one_request_may_have_met_nobody_by_chance() -> None:
    assert "no-neighbour" not in asked("tcp4", times=1)


@pytest.mark.parametrize("name", ["tcp4", "tcp6", "switch4", "routing4", "broadcast4", "raw4"])
def test_where_neighbours_answer_there_is_no_such_cause(name: str) -> None:
    for timeline in build_timelines(s.recording_of(name)):
        assert "no-neighbour" not in causes_in(s.recording_of(name), timeline.step)
