"""Recorded runs of which something is expected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import recorded as r
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.expect.expectation import Expectation
from lab.expect.failure import ExpectationFailed
from lab.expect.subject import subjects_of_run
from lab.model.claim import Outcome, Verdict
from lab.records import Recording
from lab.results import Result
from scenarios.tcp import SCENARIO


def as_it_was(recording: Recording) -> Recording:
    """The recording itself."""
    return recording


def result_of(name: str, edit: r.Edit = as_it_was) -> Result:
    """The recorded run of that name, edited, without claims."""
    timelines = build_timelines(edit(s.recording_of(name)))
    return Result(timelines, (), name, name, replace(SCENARIO, lesson=None), Path("runs/none"))


def verdict(
    expectation: Expectation, name: str, edit: r.Edit = as_it_was, step: str = ""
) -> Verdict:
    """What becomes of an expectation of that run, or of one step of it."""
    timelines = build_timelines(edit(s.recording_of(name)))
    chosen = [timeline for timeline in timelines if step in ("", timeline.step)]
    assert chosen, "a step that there is"
    return expectation.found(subjects_of_run(chosen))


def outcome_of(asked: Callable[[], object]) -> Outcome:
    """HOLDS where it raises nothing, else what the failure says."""
    try:
        asked()
    except ExpectationFailed as failure:
        return failure.verdict.outcome
    return Outcome.HOLDS
