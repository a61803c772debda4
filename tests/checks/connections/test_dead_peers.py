"""Claims of peers that say nothing more: each holds of a recorded run, and can be broken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from timeline_edits import (
    outcome,
    timeline_of,
    with_calls,
    with_segments,
    without_calls,
    without_segments,
)

from lab.analysis.flows.crossing import Crossing
from lab.analysis.tcp.segment import Note
from lab.analysis.timeline import Timeline
from lab.checks.connections.dead_peers import (
    asks_when_its_options_say,
    backs_off,
    gives_up_after_the_users_timeout,
    gives_up_the_dead,
    is_answered_by_the_living,
)
from lab.model.claim import Claim, Outcome

HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
OF = (
    ("keepalive4", "alive", is_answered_by_the_living),
    ("keepalive4", "alive", asks_when_its_options_say),
    ("keepalive4", "dead", asks_when_its_options_say),
    ("keepalive4", "dead", gives_up_the_dead),
    ("user-timeout4", "", gives_up_after_the_users_timeout),
    ("user-timeout4", "", backs_off),
)
NAMES = [f"{step or name}-{claim.name}" for name, step, claim in OF]
EACH = pytest.mark.parametrize(("name", "step", "claim"), OF, ids=NAMES)
BY_CALLS = pytest.mark.parametrize(("name", "step", "claim"), OF[:-1], ids=NAMES[:-1])
GIVING_UP = pytest.mark.parametrize(("name", "step", "claim"), OF[3:5], ids=NAMES[3:5])


def moved(timeline: Timeline, number: int, by_ns: int) -> Timeline:
    """One segment left at another time; what was made of it stays."""

    def change(crossing: Crossing) -> Crossing:
        if crossing.number != number or crossing.sent_ns is None:
            return crossing
        return replace(crossing, sent_ns=crossing.sent_ns + by_ns)

    (talk,) = timeline.conversations
    flow = replace(talk.flow, crossings=tuple(map(change, talk.flow.crossings)))
    return replace(timeline, conversations=(replace(talk, flow=flow),))


def keep_alives(timeline: Timeline) -> list[int]:
    segments = timeline.conversations[0].segments
    return [s.crossing for s in segments if s.from_client and Note.KEEP_ALIVE in s.notes]


@EACH
def test_it_holds_of_a_recorded_run(name: str, step: str, claim: Claim) -> None:
    assert outcome(claim, timeline_of(name, step)) is HOLDS


@EACH
def test_it_is_broken_where_nothing_was_asked_or_sent(name: str, step: str, claim: Claim) -> None:
    silent = without_segments(
        timeline_of(name, step),
        lambda s: s.from_client and (Note.KEEP_ALIVE in s.notes or s.length),
    )
    assert outcome(claim, silent) is BROKEN


@BY_CALLS
def test_it_is_undecided_where_nothing_was_printed(name: str, step: str, claim: Claim) -> None:
    assert outcome(claim, without_calls(timeline_of(name, step))) is UNDECIDED


def test_a_keep_alive_without_an_answer_shows_no_life() -> None:
    silent = without_segments(
        timeline_of("keepalive4", "alive"), lambda s: Note.KEEP_ALIVE_ACK in s.notes
    )
    assert outcome(is_answered_by_the_living, silent) is BROKEN


def test_a_call_that_fails_though_the_peer_lives_breaks_it() -> None:
    failing = with_calls(
        timeline_of("keepalive4", "alive"),
        lambda call: replace(call, error="ETIMEDOUT") if call.name == "poll" else call,
    )
    assert outcome(is_answered_by_the_living, failing) is BROKEN


@GIVING_UP
def test_a_word_of_the_peers_shows_that_it_is_not_dead(name: str, step: str, claim: Claim) -> None:
    timeline = timeline_of(name, step)
    (talk,) = timeline.conversations
    lost = [s.crossing for s in talk.segments if not s.from_client and Note.LOST in s.notes]

    def arrives(crossing: Crossing) -> Crossing:
        came_ns = crossing.time_ns + 1
        return replace(crossing, received_ns=came_ns) if crossing.number in lost else crossing

    assert lost
    flow = replace(talk.flow, crossings=tuple(map(arrives, talk.flow.crossings)))
    heard = replace(timeline, conversations=(replace(talk, flow=flow),))
    assert outcome(claim, heard) is BROKEN


@GIVING_UP
def test_where_no_call_times_out_nobody_gave_up(name: str, step: str, claim: Claim) -> None:
    going_on = with_calls(
        timeline_of(name, step),
        lambda call: replace(call, error="", result=0) if call.error == "ETIMEDOUT" else call,
    )
    assert outcome(claim, going_on) is BROKEN


def test_fewer_keep_alives_than_the_option_says_break_it() -> None:
    timeline = timeline_of("keepalive4", "dead")
    last = keep_alives(timeline)[-1]
    fewer = without_segments(timeline, lambda s: s.crossing == last)
    assert outcome(gives_up_the_dead, fewer) is BROKEN


@pytest.mark.parametrize("by_ms", [-100, 600])
@pytest.mark.parametrize("place", [0, 1])
def test_a_keep_alive_at_another_time_breaks_it(place: int, by_ms: int) -> None:
    timeline = timeline_of("keepalive4", "dead")
    other = moved(timeline, keep_alives(timeline)[place], by_ms * 1_000_000)
    assert outcome(asks_when_its_options_say, other) is BROKEN


def test_an_option_that_is_no_number_decides_nothing() -> None:
    odd = with_calls(
        timeline_of("keepalive4", "dead"),
        lambda call: (
            replace(call, arguments=(3, "IPPROTO_TCP", "TCP_KEEPIDLE", "soon"))
            if "TCP_KEEPIDLE" in call.arguments
            else call
        ),
    )
    assert outcome(asks_when_its_options_say, odd) is UNDECIDED


@pytest.mark.parametrize("place", [2, 3])
def test_a_copy_at_another_time_breaks_the_doubling(place: int) -> None:
    timeline = timeline_of("user-timeout4")
    (talk,) = timeline.conversations
    copies = [s.crossing for s in talk.segments if s.from_client and s.length]
    assert outcome(backs_off, moved(timeline, copies[place], -150_000_000)) is BROKEN


def test_of_two_copies_no_doubling_is_seen() -> None:
    timeline = timeline_of("user-timeout4")
    (talk,) = timeline.conversations
    copies = [s.crossing for s in talk.segments if s.from_client and s.length]
    few = without_segments(timeline, lambda s: s.crossing in copies[2:])
    assert outcome(backs_off, few) is UNDECIDED


def given_up_later(timeline: Timeline, by_ns: int) -> Timeline:
    """The client's last clock is so much later."""
    last = [c for c in timeline.calls["client"] if c.name == "clock_gettime"][-1]

    def change(value: object) -> object:
        return value + by_ns if isinstance(value, int) else value

    late = replace(last, arguments=tuple(map(change, last.arguments)))
    return with_calls(timeline, lambda call: late if call == last else call)


@pytest.mark.parametrize("by_ms", [-1000, 3000])
def test_another_time_than_the_users_breaks_it(by_ms: int) -> None:
    other = given_up_later(timeline_of("user-timeout4"), by_ms * 1_000_000)
    assert outcome(gives_up_after_the_users_timeout, other) is BROKEN


def test_on_a_slow_link_the_timers_first_copy_is_late_and_the_users_time_counts_from_it() -> None:
    """Copies and the last clock three seconds later, as after round trips of half a second."""
    late_ns = 3_000_000_000
    later = given_up_later(timeline_of("user-timeout4"), late_ns)
    assert outcome(gives_up_after_the_users_timeout, later) is BROKEN
    (talk,) = later.conversations
    copies = [s.crossing for s in talk.segments if s.from_client and s.length]
    for number in copies[1:]:
        later = moved(later, number, late_ns)
    assert outcome(gives_up_after_the_users_timeout, later) is HOLDS


def test_clocks_that_are_no_numbers_decide_nothing() -> None:
    odd = with_calls(
        timeline_of("user-timeout4"),
        lambda c: replace(c, arguments=("X", "now")) if c.name == "clock_gettime" else c,
    )
    assert outcome(gives_up_after_the_users_timeout, odd) is UNDECIDED


def test_where_nothing_was_lost_nothing_was_sent_again() -> None:
    found = with_segments(
        timeline_of("user-timeout4"), lambda s: replace(s, notes=s.notes - {Note.LOST})
    )
    assert outcome(backs_off, found) is BROKEN
    assert outcome(gives_up_after_the_users_timeout, found) is BROKEN
