"""Which processes had a socket open."""

from __future__ import annotations

from dataclasses import replace

import pytest
import step_edits as s
import trace_edits as t

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.holders import Holders, holders_of
from lab.analysis.causes.facts.step_facts import StepFacts
from lab.records import Recording, TaskEvent, TaskKind

TCP = s.recording_of("traced-tcp4")
ACCEPT, CLOSE = t.call_of(TCP, "server", "accept4"), t.call_of(TCP, "server", "close")
PARENT, CHILD = ACCEPT.pid, 77_777
AFTER_NS = (ACCEPT.exit_ns or 0) + 10
END_NS = (CLOSE.exit_ns or 0) + 10


def forked(run: Recording = TCP, *, shares: bool = False, at_ns: int = AFTER_NS) -> Recording:
    step = TCP.programs[0].step
    child = TaskEvent(at_ns, "server", "start", CHILD, CHILD, ACCEPT.tid, shares, step)
    return replace(run, trace=replace(run.trace, tasks=(*run.trace.tasks, child)))


def found(run: Recording, now_ns: int = END_NS) -> Holders | None:
    facts = StepFacts(build_timelines(run)[0])
    socket = facts.side(facts.timeline.conversations[0], False)
    assert socket is not None
    return holders_of(facts, socket, now_ns)


def closers(holders: Holders | None) -> list[int]:
    assert holders is not None
    return [call.pid for call in holders.closed]


def test_who_made_it_has_it_until_it_closes_it() -> None:
    before, after = found(TCP, CLOSE.entry_ns), found(TCP)
    assert before is not None
    assert (before.left, closers(before)) == ((PARENT,), [])
    assert after is not None
    assert (after.left, closers(after)) == ((), [PARENT])


def test_a_child_has_it_as_well_from_its_fork_on() -> None:
    holders = found(forked())
    assert holders is not None
    assert (holders.left, closers(holders)) == ((CHILD,), [PARENT])
    early = found(forked(at_ns=(ACCEPT.exit_ns or 0) - 10))
    assert early is not None
    assert early.left == ()


@pytest.mark.parametrize("kind", ["exit", "exec"])
def test_a_child_that_ends_or_becomes_another_program_has_it_no_more(kind: TaskKind) -> None:
    run = forked()
    end = replace(run.trace.tasks[-1], kind=kind, time_ns=AFTER_NS + 10)
    holders = found(replace(run, trace=replace(run.trace, tasks=(*run.trace.tasks, end))))
    assert holders is not None
    assert holders.left == ()


def test_what_is_duplicated_is_not_followed() -> None:
    dup = replace(
        CLOSE, name="dup", arguments=CLOSE.arguments[:1], result=9,
        entry_ns=AFTER_NS + 20, exit_ns=AFTER_NS + 21,
    )  # fmt: skip
    assert found(t.with_calls(TCP, [*TCP.trace.syscalls, dup])) is None
