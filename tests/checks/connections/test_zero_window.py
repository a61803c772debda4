"""Claims of a closed window: each holds of a recorded run, and can be broken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from timeline_edits import edited, outcome, timeline_of, with_segments, without_segments

from lab.analysis.flows.crossing import Crossing
from lab.analysis.tcp.segment import Note, Segment
from lab.analysis.timeline import Timeline
from lab.checks.connections.zero_window import (
    finds_the_window_by_a_probe,
    goes_on_with_the_update,
    probes_at_doubling_times,
    sends_only_probes_into_a_closed_window,
)
from lab.model.claim import Claim, Outcome

HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
OF = (
    ("update", sends_only_probes_into_a_closed_window),
    ("update-lost", sends_only_probes_into_a_closed_window),
    ("update", probes_at_doubling_times),
    ("update-lost", probes_at_doubling_times),
    ("update", goes_on_with_the_update),
    ("update-lost", finds_the_window_by_a_probe),
)
EACH = pytest.mark.parametrize(
    ("step", "claim"), OF, ids=lambda each: each if isinstance(each, str) else each.name
)


def of(step: str) -> Timeline:
    return timeline_of("zero-window4", step)


def has(note: Note, segment: Segment) -> bool:
    return note in segment.notes


def without_note(timeline: Timeline, note: Note) -> Timeline:
    return with_segments(timeline, lambda s: replace(s, notes=s.notes - {note}))


def opening(timeline: Timeline) -> Segment:
    """The segment that came with a window again."""
    (talk,) = timeline.conversations
    closed = next(s for s in talk.segments if has(Note.ZERO_WINDOW, s))
    return next(
        s
        for s in talk.segments
        if s.crossing > closed.crossing
        and not s.from_client
        and s.window_bytes
        and Note.LOST not in s.notes
    )


@EACH
def test_it_holds_of_a_recorded_run(step: str, claim: Claim) -> None:
    assert outcome(claim, of(step)) is HOLDS


@EACH
def test_where_no_window_was_closed_it_is_broken(step: str, claim: Claim) -> None:
    assert outcome(claim, without_note(of(step), Note.ZERO_WINDOW)) is BROKEN


def test_without_a_probe_there_is_nothing_to_go_by() -> None:
    without = without_segments(of("update"), lambda s: has(Note.ZERO_WINDOW_PROBE, s))
    assert outcome(sends_only_probes_into_a_closed_window, without) is BROKEN
    assert outcome(probes_at_doubling_times, without) is UNDECIDED


@pytest.mark.parametrize(("trip_ms", "found"), [(300, BROKEN), (400, UNDECIDED)])
def test_a_window_that_opens_before_a_probe_is_due_shows_nothing(
    trip_ms: int, found: Outcome
) -> None:
    """It was closed for 1.2 s; the first timeout is three round trips (RFC 6298, 2.2)."""
    timeline = without_segments(of("update"), lambda s: has(Note.ZERO_WINDOW_PROBE, s))
    (talk,) = timeline.conversations
    assert talk.handshake is not None
    slow = replace(talk.handshake, syn_to_syn_ack_ns=trip_ms * 1_000_000)
    slow_talk = replace(talk, handshake=slow)
    slower = replace(timeline, conversations=(slow_talk,))
    assert outcome(sends_only_probes_into_a_closed_window, slower) is found


def test_what_goes_into_a_closed_window_and_is_no_probe_breaks_it() -> None:
    other = without_note(of("update"), Note.ZERO_WINDOW_PROBE)
    assert outcome(sends_only_probes_into_a_closed_window, other) is BROKEN


def test_a_probe_that_comes_too_soon_breaks_the_doubling() -> None:
    timeline = of("update-lost")
    (talk,) = timeline.conversations
    probes = [s.crossing for s in talk.segments if has(Note.ZERO_WINDOW_PROBE, s)]
    assert len(probes) >= 3

    def sooner(crossing: Crossing) -> Crossing:
        if crossing.number != probes[-1] or crossing.sent_ns is None:
            return crossing
        early_ns = crossing.sent_ns - 300_000_000
        return replace(crossing, sent_ns=early_ns, received_ns=early_ns + 1)

    flow = replace(talk.flow, crossings=tuple(map(sooner, talk.flow.crossings)))
    changed = replace(timeline, conversations=(replace(talk, flow=flow),))
    assert outcome(probes_at_doubling_times, changed) is BROKEN


@pytest.mark.parametrize(
    ("step", "claim", "note"),
    [
        ("update", goes_on_with_the_update, Note.WINDOW_UPDATE),
        ("update-lost", finds_the_window_by_a_probe, Note.ZERO_WINDOW_PROBE_ACK),
    ],
    ids=["update", "update-lost"],
)
def test_what_else_opens_the_window_breaks_it(step: str, claim: Claim, note: Note) -> None:
    assert outcome(claim, without_note(of(step), note)) is BROKEN


@pytest.mark.parametrize(("step", "claim"), OF[4:], ids=["update", "update-lost"])
def test_a_window_that_is_never_opened_breaks_it(step: str, claim: Claim) -> None:
    timeline = of(step)
    opened = opening(timeline).crossing
    closed = without_segments(timeline, lambda s: s.crossing >= opened and Note.LOST not in s.notes)
    assert outcome(claim, closed) is BROKEN


@pytest.mark.parametrize(("step", "claim"), OF[4:], ids=["update", "update-lost"])
def test_where_nothing_follows_it_is_broken(step: str, claim: Claim) -> None:
    timeline = of(step)
    opened = opening(timeline).crossing
    idle = edited(timeline, lambda c: c if c.number <= opened else None)
    assert outcome(claim, idle) is BROKEN


def test_where_the_update_came_no_probe_had_to_find_the_window() -> None:
    assert outcome(finds_the_window_by_a_probe, of("update")) is UNDECIDED


def test_without_a_probe_after_the_loss_it_is_broken() -> None:
    timeline = of("update-lost")
    (talk,) = timeline.conversations
    lost = next(s for s in talk.segments if Note.LOST in s.notes)
    without = with_segments(
        timeline,
        lambda s: (
            replace(s, notes=s.notes - {Note.ZERO_WINDOW_PROBE})
            if s.crossing > lost.crossing
            else s
        ),
    )
    assert outcome(finds_the_window_by_a_probe, without) is BROKEN
