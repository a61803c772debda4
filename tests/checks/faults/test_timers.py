"""Claims of a sender's timers: each holds of a recorded run, and can be broken or left open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import step_edits as s
from timeline_edits import edited

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.crossing import Crossing
from lab.analysis.timeline import Timeline
from lab.checks.faults.timers import (
    doubles_its_timeout,
    fills_the_gap_that_the_probe_showed,
    is_sent_again_by_the_timer,
    probes_the_tail,
    recovers_without_a_timeout,
)
from lab.model.claim import Claim, Outcome

HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
MS = 1_000_000
OF = (
    ("loss-syn4", "conversation", doubles_its_timeout),
    ("loss-syn4", "conversation", is_sent_again_by_the_timer),
    ("loss-data4", "fast retransmit", recovers_without_a_timeout),
    ("loss-data4", "timeout", doubles_its_timeout),
    ("loss-data4", "timeout", is_sent_again_by_the_timer),
    ("loss-data4", "tail loss probe", probes_the_tail),
    ("loss-data4", "tail loss probe", fills_the_gap_that_the_probe_showed),
)
EACH = pytest.mark.parametrize(
    ("name", "step", "claim"), OF, ids=[f"{name}-{claim.name}" for name, _, claim in OF]
)
COUNTED = pytest.mark.parametrize(
    ("name", "step", "claim", "counter"),
    [
        (name, step, claim, counter)
        for name, step, claim in OF
        for of, counter in (
            (is_sent_again_by_the_timer, "TcpExtTCPTimeouts"),
            (recovers_without_a_timeout, "TcpExtTCPTimeouts"),
            (recovers_without_a_timeout, "TcpExtTCPSackRecovery"),
            (probes_the_tail, "TcpExtTCPTimeouts"),
            (probes_the_tail, "TcpExtTCPLossProbes"),
        )
        if claim is of
    ],
)


def timeline_of(name: str, step: str) -> Timeline:
    (found,) = (each for each in build_timelines(s.recording_of(name)) if each.step == step)
    return found


def counting(timeline: Timeline, changes: Callable[[dict[str, int]], dict[str, int]]) -> Timeline:
    """The timeline of a run whose kernels counted otherwise."""
    recording = timeline.recording
    seen = tuple(replace(each, changes=changes(each.changes)) for each in recording.counters)
    return replace(timeline, recording=replace(recording, counters=seen))


def moved(timeline: Timeline, number: int, by_ns: int) -> Timeline:
    """The timeline with that frame so much later."""

    def change(crossing: Crossing) -> Crossing:
        if crossing.number != number or crossing.sent_ns is None:
            return crossing
        came = crossing.received_ns
        later = None if came is None else came + by_ns
        return replace(crossing, sent_ns=crossing.sent_ns + by_ns, received_ns=later)

    return replace(timeline, crossings=tuple(map(change, timeline.crossings)))


def again(timeline: Timeline) -> list[int]:
    """The frames that were sent again."""
    return [
        segment.crossing
        for talk in timeline.conversations
        for segment in talk.segments
        if any("retransmission" in note.value for note in segment.notes)
    ]


@EACH
def test_it_holds_of_a_recorded_run(name: str, step: str, claim: Claim) -> None:
    verdict = claim(timeline_of(name, step))
    assert verdict.outcome is HOLDS, verdict.why
    assert verdict.evidence


@EACH
def test_where_nothing_was_lost_nothing_was_shown(name: str, step: str, claim: Claim) -> None:
    (timeline,) = build_timelines(s.recording_of("traced-tcp4"))
    assert claim(timeline).outcome is UNDECIDED


@pytest.mark.parametrize(
    ("name", "step"), [("loss-syn4", "conversation"), ("loss-data4", "timeout")]
)
def test_a_timeout_that_is_no_longer_than_the_first_breaks_it(name: str, step: str) -> None:
    timeline = timeline_of(name, step)
    first, second = again(timeline)
    wait_ns = timeline.crossing_of[second].time_ns - timeline.crossing_of[first].time_ns
    soon = moved(timeline, second, -wait_ns // 2)
    assert doubles_its_timeout(soon).outcome is BROKEN
    late = moved(timeline, second, wait_ns)
    assert doubles_its_timeout(late).outcome is BROKEN


@COUNTED
def test_counters_that_say_otherwise_decide_nothing(
    name: str, step: str, claim: Claim, counter: str
) -> None:
    timeline = timeline_of(name, step)

    def one_more(changes: dict[str, int]) -> dict[str, int]:
        return {**changes, counter: 0 if changes.get(counter) else 1}

    verdict = claim(counting(timeline, one_more))
    assert verdict.outcome is UNDECIDED
    assert counter in verdict.why
    unread = replace(timeline, recording=replace(timeline.recording, counters=()))
    assert claim(unread).outcome is UNDECIDED


def test_a_gap_that_a_timer_filled_was_no_fast_recovery() -> None:
    timeline = timeline_of("loss-data4", "fast retransmit")
    (number,) = again(timeline)
    late = moved(timeline, number, 250 * MS)
    assert recovers_without_a_timeout(late).outcome is UNDECIDED
    timed_out = counting(late, lambda _: {"TcpExtTCPTimeouts": 1})
    assert recovers_without_a_timeout(timed_out).outcome is BROKEN


def test_what_comes_as_late_as_a_timeout_and_is_counted_as_one_is_no_probe() -> None:
    timeline = timeline_of("loss-data4", "tail loss probe")
    probe, _ = again(timeline)
    late = moved(timeline, probe, 250 * MS)
    assert probes_the_tail(late).outcome is UNDECIDED
    timed_out = counting(late, lambda _: {"TcpExtTCPTimeouts": 1})
    assert probes_the_tail(timed_out).outcome is BROKEN


def test_a_gap_that_was_filled_before_the_probe_was_answered_was_not_shown_by_it() -> None:
    timeline = timeline_of("loss-data4", "tail loss probe")
    _, filled = again(timeline)
    sooner = moved(timeline, filled, -15 * MS)
    assert fills_the_gap_that_the_probe_showed(sooner).outcome is BROKEN


def test_an_answer_that_came_when_a_timer_may_have_run_out_decides_nothing() -> None:
    timeline = timeline_of("loss-data4", "tail loss probe")
    (told,) = (s.crossing for t in timeline.conversations for s in t.segments if s.sack)
    late = moved(timeline, told, 300 * MS)
    assert fills_the_gap_that_the_probe_showed(late).outcome is UNDECIDED


@pytest.mark.parametrize(("late_ms", "found"), [(25, HOLDS), (600, HOLDS), (1200, UNDECIDED)])
def test_a_syn_that_waited_for_its_neighbours_address_was_sent_before(
    late_ms: int, found: Outcome
) -> None:
    """Behind its frame the first wait is short; while it waits for a second no copy is made."""
    timeline = timeline_of("loss-syn4", "conversation")
    answer, syn = (each.number for each in timeline.crossings[1:3])

    def later(crossing: Crossing) -> Crossing:
        if crossing.number not in (answer, syn):
            return crossing
        sent, came = crossing.sent_ns, crossing.received_ns
        return replace(
            crossing,
            sent_ns=None if sent is None else sent + late_ms * MS,
            received_ns=None if came is None else came + late_ms * MS,
        )

    late = edited(timeline, later)
    assert doubles_its_timeout(late).outcome is found
