"""A close() that no FIN follows; runs are in test_waiting_runs.py."""

from __future__ import annotations

from dataclasses import replace

import step_edits as s
import trace_edits as t
from causes_found import causes_in
from halted import STEP, halted

from lab.analysis.assembly import build_timelines
from lab.records import HeldSocket, Holder, Recording, TaskEvent

TCP = s.recording_of("traced-tcp4")
ACCEPT, CLOSE = t.call_of(TCP, "server", "accept4"), t.call_of(TCP, "server", "close")
CHILD = 77_777


def forked(*, child_closes: bool) -> Recording:
    """A child of the server's has the connection too; the server closes it, and no FIN is sent."""
    start = TaskEvent(
        (ACCEPT.exit_ns or 0) + 1, "server", "start", CHILD, CHILD, ACCEPT.tid, False, STEP
    )
    run = halted(TCP, (CLOSE.exit_ns or 0) + 1000)
    calls = list(run.trace.syscalls)
    if child_closes:
        early_ns = CLOSE.entry_ns - 10
        calls.append(replace(CLOSE, pid=CHILD, tid=CHILD, entry_ns=early_ns, exit_ns=early_ns + 5))
    end = replace(start, kind="exit", time_ns=max(each.time_ns for each in run.trace.tasks))
    run = t.with_calls(run, calls)
    run = replace(run, trace=replace(run.trace, tasks=(*run.trace.tasks, start, end)))
    (timeline,) = build_timelines(run)
    (talk,) = timeline.conversations
    gone = {
        each.crossing
        for each in talk.segments
        if not each.from_client and timeline.crossing_of[each.crossing].time_ns > CLOSE.entry_ns
    }
    return s.without(STEP, lambda crossing: crossing.number in gone)(run) if gone else run


def test_another_process_that_has_it_open_is_why() -> None:
    found = causes_in(forked(child_closes=False), STEP)
    assert f"process {CHILD}, which fork() made" in found["held-open"].text
    assert "until the lab ended it" in found["held-open"].text


def test_where_all_have_closed_it_nobody_has_it_open() -> None:
    assert "held-open" not in causes_in(forked(child_closes=True), STEP)


def test_a_close_with_its_fin_has_no_cause() -> None:
    assert causes_in(TCP, STEP) == {}


def seen_open(pid: int, later_ns: int) -> str:
    """The cause, where calls show that all have closed it, and the kernel shows who has it open."""
    run = forked(child_closes=True)
    (timeline,) = build_timelines(run)
    (flow,) = timeline.flows
    held = HeldSocket(
        CLOSE.entry_ns + later_ns, "waiting", "server", "tcp", "ESTABLISHED",
        str(flow.b.address), flow.b.port, str(flow.a.address), flow.a.port, "", 0, 0,
        holders=(Holder(pid, "other"),), step=STEP,
    )  # fmt: skip
    causes = causes_in(replace(run, held_sockets=(held,)), STEP)
    return causes["held-open"].text if "held-open" in causes else ""


def test_who_has_it_open_still_is_named_as_the_kernel_shows_it() -> None:
    another = seen_open(5, 100_000_000)
    assert "closed the socket, and process 5 (other) had it open still" in another
    assert "showed 100 ms later" in another
    same = seen_open(CLOSE.pid, 100_000_000)
    assert f"the same process {CLOSE.pid} (other), by another descriptor, had it" in same


def test_what_was_open_before_the_close_or_just_then_shows_nothing() -> None:
    assert seen_open(5, -1000) == seen_open(5, 1_000_000) == ""
