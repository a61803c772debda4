"""Windows that were shut for long."""

from __future__ import annotations

from dataclasses import replace

import pytest
import step_edits as s
from causes_found import causes_in, causes_of


@pytest.mark.parametrize("step", ["update", "update-lost"])
def test_a_full_receiver_is_named_with_how_long_and_what_ended_it(step: str) -> None:
    cause = causes_of("zero-window4", step)["zero-window"]
    assert "is full: from f" in cause.text
    assert "its window is 0, for 1.16 s, until f" in cause.text
    assert "Its kernel asks 2 times whether there is room." in cause.text


def test_a_window_that_is_shut_for_a_moment_is_no_cause() -> None:
    run = s.recording_of("zero-window4")
    first_ns = run.frames[0].time_ns
    quick = replace(
        run,
        frames=tuple(
            replace(each, time_ns=first_ns + (each.time_ns - first_ns) // 4) for each in run.frames
        ),
        programs=tuple(
            replace(
                each,
                started_ns=first_ns + (each.started_ns - first_ns) // 4,
                ended_ns=first_ns + (each.ended_ns - first_ns) // 4,
            )
            for each in run.programs
        ),
    )
    assert "zero-window" not in causes_in(quick, "update")


def test_until_the_lab_ends_it_is_said_of_a_window_that_nothing_opens() -> None:
    run = s.recording_of("zero-window4")
    opened_ns = max(each.time_ns for each in run.frames)
    halted = [
        replace(each, stopped_ns=opened_ns) if each.step == "update-lost" else each
        for each in run.programs
    ]
    assert "zero-window" in causes_in(replace(run, programs=tuple(halted)), "update-lost")


@pytest.mark.parametrize("name", ["tcp4", "traced-tcp4", "nagle4", "backlog4"])
def test_where_there_is_room_there_is_no_such_cause(name: str) -> None:
    for run in s.recording_of(name).programs:
        assert "zero-window" not in causes_of(name, run.step)
