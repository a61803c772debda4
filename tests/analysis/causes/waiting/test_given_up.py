"""When a wait was in vain."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trace_edits as t
from halted import LINE, TCP, TIMELINE, Read, conversation

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.step_facts import StepFacts
from lab.analysis.causes.waiting.given_up import GivenUp, given_up
from lab.records import Recording, Syscall

RUN = conversation(LINE.number, [Read(100, 48), Read(100, None)], [Read(100, None)])


def found(run: Recording) -> list[GivenUp]:
    return list(given_up(StepFacts(build_timelines(run)[0])))


def by_itself(run: Recording, **changes: object) -> Recording:
    """The client was not ended by the lab."""
    programs = [
        replace(each, stopped_ns=None, failure="", **changes) if each.name == "client" else each  # type: ignore[arg-type]
        for each in run.programs
    ]
    return replace(run, programs=tuple(programs))


def timed_out(errno: int, after_ns: int) -> t.Changed:
    def change(call: Syscall) -> Syscall:
        return replace(call, result=-errno, exit_ns=call.entry_ns + after_ns)

    return change


def test_of_a_program_that_the_lab_ended_it_is_that_moment() -> None:
    (moment,) = found(RUN)
    assert (moment.waits.name, moment.other.name) == ("client", "server")
    assert moment.how == "until the lab ended it"
    assert moment.waits.now_ns == RUN.programs[0].stopped_ns


@pytest.mark.parametrize(
    ("errno", "after_ns", "is_met"), [(11, 10**9, True), (11, 10**8, False), (104, 10**9, False)]
)
def test_who_waits_long_and_lets_go_has_given_up(errno: int, after_ns: int, is_met: bool) -> None:
    run = t.changed("client", "recvfrom", timed_out(errno, after_ns))(by_itself(RUN))
    moments = found(run)
    assert bool(moments) is is_met
    assert all(moment.how == "until it gave up" for moment in moments)


def test_who_goes_on_after_a_timeout_has_not_given_up() -> None:
    run = t.changed("client", "recvfrom", timed_out(11, 10**9))(by_itself(RUN))
    read = t.call_of(run, "client", "recvfrom")
    again = replace(read, entry_ns=(read.exit_ns or 0) + 1, exit_ns=None, result=None)
    assert not found(t.with_calls(run, [*run.trace.syscalls, again]))


def test_a_process_that_was_ended_in_a_call_had_waited() -> None:
    assert not found(by_itself(RUN)), "it ended with status 0, a thread of it in a call"
    failed = by_itself(RUN, exit_status=124)
    programs = [
        replace(each, failure="exited with status 124") if each.name == "client" else each
        for each in failed.programs
    ]
    (moment,) = found(replace(failed, programs=tuple(programs)))
    assert moment.how == "until it was ended"


def test_a_run_that_goes_well_has_no_such_moment() -> None:
    assert not found(TCP)
    assert TIMELINE.programs
