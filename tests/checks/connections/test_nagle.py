"""Claims of two writes before a read: each holds of a recorded run, and can be broken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from timeline_edits import outcome, timeline_of, with_segments, without_calls, without_segments

from lab.analysis.flows.crossing import Crossing
from lab.analysis.tcp.segment import Segment
from lab.analysis.timeline import Timeline
from lab.checks.connections.nagle import (
    delays_the_acknowledgement,
    does_not_wait_without,
    waits_for_the_acknowledgement,
)
from lab.model.claim import Claim, Outcome

HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
EACH = pytest.mark.parametrize(
    "claim", [waits_for_the_acknowledgement, delays_the_acknowledgement], ids=lambda c: c.name
)


def of(step: str) -> Timeline:
    return timeline_of("nagle4", step)


def is_bare_ack(segment: Segment) -> bool:
    return not segment.from_client and not segment.length and segment.crossing > 7


def later(timeline: Timeline, wanted: set[int], by_ns: int) -> Timeline:
    """Such segments left and came later; what was made of them stays."""

    def moved(crossing: Crossing) -> Crossing:
        if crossing.number not in wanted or crossing.received_ns is None:
            return crossing
        assert crossing.sent_ns is not None
        return replace(
            crossing, sent_ns=crossing.sent_ns + by_ns, received_ns=crossing.received_ns + by_ns
        )

    (talk,) = timeline.conversations
    flow = replace(talk.flow, crossings=tuple(map(moved, talk.flow.crossings)))
    return replace(timeline, conversations=(replace(talk, flow=flow),))


@EACH
def test_it_holds_of_a_recorded_run(claim: Claim) -> None:
    assert outcome(claim, of("nagle")) is HOLDS


def test_without_nagle_nothing_waits() -> None:
    assert outcome(does_not_wait_without, of("nagle"), of("nodelay")) is HOLDS


@EACH
def test_where_nothing_was_held_back_it_is_broken(claim: Claim) -> None:
    assert outcome(claim, of("nodelay")) is BROKEN


@EACH
def test_where_nothing_was_sent_twice_it_is_broken(claim: Claim) -> None:
    silent = without_segments(of("nagle"), lambda s: s.from_client and s.length)
    assert outcome(claim, silent) is BROKEN
    assert outcome(does_not_wait_without, of("nagle"), silent) is BROKEN
    assert outcome(does_not_wait_without, silent, of("nodelay")) is BROKEN


def test_an_ack_that_is_delayed_for_too_long_breaks_it() -> None:
    timeline = of("nagle")
    acks = {s.crossing for s in timeline.conversations[0].segments if is_bare_ack(s)}
    data = {s.crossing for s in timeline.conversations[0].segments if s.from_client and s.length}
    late = later(timeline, acks | {number for number in data if number - 1 in acks}, 500_000_000)
    assert outcome(waits_for_the_acknowledgement, late) is HOLDS
    assert outcome(delays_the_acknowledgement, late) is BROKEN


def test_an_ack_with_data_is_not_delayed_for_want_of_some() -> None:
    with_data = with_segments(
        of("nagle"), lambda s: replace(s, length=1, from_client=False) if is_bare_ack(s) else s
    )
    assert outcome(delays_the_acknowledgement, with_data) is BROKEN


def test_a_wait_that_is_no_shorter_breaks_it() -> None:
    timeline = of("nodelay")
    data = [s for s in timeline.conversations[0].segments if s.from_client and s.length]
    slow = later(timeline, {s.crossing for s in data[1::2]}, 20_000_000)
    acks = {s.crossing for s in timeline.conversations[0].segments if is_bare_ack(s)}
    assert outcome(does_not_wait_without, of("nagle"), later(slow, acks, 40_000_000)) is BROKEN


def test_a_segment_that_waits_in_spite_of_the_option_breaks_it() -> None:
    timeline = of("nodelay")
    data = [s for s in timeline.conversations[0].segments if s.from_client and s.length]
    slow = later(timeline, {s.crossing for s in data[1::2]}, 300_000_000)
    assert outcome(does_not_wait_without, of("nagle"), slow) is BROKEN


def test_without_the_option_it_is_undecided() -> None:
    silent = without_calls(of("nodelay"), "setsockopt")
    assert outcome(does_not_wait_without, of("nagle"), silent) is UNDECIDED


def test_two_connections_are_not_compared() -> None:
    timeline = of("nodelay")
    two = replace(timeline, conversations=timeline.conversations * 2)
    assert outcome(does_not_wait_without, of("nagle"), two) is BROKEN
