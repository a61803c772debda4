"""Programs' starts and ends, and calls outside of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import step_edits as s
import trace_edits as t

from lab.analysis.assembly import build_timelines
from lab.analysis.calls.decode import of_step
from lab.analysis.calls.lives import doubtful_lives
from lab.model.claim import Outcome
from lab.records import TaskEvent, Trace
from scenarios.tcp import SCENARIO as TCP

RUNS = ["traced-tcp4", "traced-tcp6", "traced-udp4", "traced-unix4", "traced-calls4"]
RUNS += ["relayed4", "relayed4-ptrace"]
CONVERSATION = "traced-tcp4"


def trace() -> Trace:
    return s.recording_of(CONVERSATION).trace


def without(kind: str, program: str) -> Trace:
    tasks = trace().tasks
    return replace(trace(), tasks=tuple(x for x in tasks if (x.kind, x.program) != (kind, program)))


def with_task(kind: str, change: Callable[[TaskEvent], TaskEvent]) -> Trace:
    """The client's task event of a kind, otherwise."""
    return replace(
        trace(),
        tasks=tuple(
            change(task) if (task.kind, task.program) == (kind, "client") else task
            for task in trace().tasks
        ),
    )


@pytest.mark.parametrize("name", RUNS)
def test_nothing_is_doubtful_of_what_was_traced_whole(name: str) -> None:
    recording = s.recording_of(name)
    for timeline in build_timelines(recording):
        assert list(doubtful_lives(of_step(recording.trace, timeline.step))) == []


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (without("start", "client"), "the start of client was not traced"),
        (without("exit", "server"), "the end of server was not traced"),
        (
            with_task("start", lambda task: replace(task, time_ns=task.time_ns + 10**9)),
            "socket() of client's thread 8 was made before that started",
        ),
        (
            with_task("exit", lambda task: replace(task, time_ns=task.time_ns - 10**9)),
            "socket() of client's thread 8 was made after that ended",
        ),
        (
            with_task("start", lambda task: replace(task, tid=9, pid=9)),
            "the end of client was not traced",
        ),
        (
            with_task("start", lambda task: replace(task, pid=9)),
            "socket() of client's thread 8 is one of process 9, and of process 8",
        ),
    ],
)
def test_what_is_missing_or_does_not_fit_is_named(changed: Trace, why: str) -> None:
    assert list(doubtful_lives(changed)) == [f"the tracer is incomplete: {why}"]


def test_a_call_of_a_thread_that_never_started_is_doubtful() -> None:
    call = t.call_of(s.recording_of(CONVERSATION), "client", "connect")
    calls = [replace(each, tid=99) if each is call else each for each in trace().syscalls]
    (doubt,) = doubtful_lives(replace(trace(), syscalls=tuple(calls)))
    assert doubt.endswith("connect() of client's thread 99, whose start was not traced")


def test_a_program_that_outlived_the_tracer_leaves_its_step_undecided() -> None:
    recording = replace(s.recording_of(CONVERSATION), trace=without("exit", "client"))
    verdict = s.verdict_of(TCP, "tcp-accounting", recording)
    assert verdict.outcome is Outcome.UNDECIDED
    assert "the tracer is incomplete: the end of client was not traced" in verdict.why


def test_who_made_no_call_has_no_life_to_be_doubted() -> None:
    assert list(doubtful_lives(Trace())) == []
