from __future__ import annotations

import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.analysis.timeline import Timeline
from lab.checks.comparison import (
    carries_the_same_messages,
    costs_frames_to_connect,
    keeps_boundaries_in_datagrams_only,
)
from lab.model.claim import Claim, Outcome
from lab.records import Recording


def step(recording: Recording, name: str = "conversation") -> Timeline:
    return next(each for each in build_timelines(recording) if each.step == name)


TCP, TCP6 = (step(r.recorded(family)) for family in (4, 6))
DATAGRAMS = step(r.recording_of("udp4"))
ONE_DATAGRAM = step(r.recording_of("udp4"), "fragments")
SILENT = step(r.silent(r.recorded(4)))
OTHER_BYTES = step(r.printed("server", lambda t: t.replace("Hello", "Jello"))(r.recorded(4)))


def test_steps_that_send_and_read_the_same_carry_the_same_messages() -> None:
    verdict = carries_the_same_messages(TCP, TCP6)
    assert verdict.outcome is Outcome.HOLDS
    assert verdict.why == "91 bytes in each of 2 steps, all read in order"


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (DATAGRAMS, "the steps sent different amounts: [88, 91] bytes"),
        (OTHER_BYTES, "what was read differs from what was sent in conversation"),
    ],
)
def test_other_bytes_are_other_messages(other: Timeline, why: str) -> None:
    verdict = carries_the_same_messages(TCP, other)
    assert (verdict.outcome, verdict.why) == (Outcome.BROKEN, why)


def test_a_connection_costs_what_datagrams_do_not() -> None:
    verdict = costs_frames_to_connect(TCP, DATAGRAMS)
    assert verdict.outcome is Outcome.HOLDS, verdict.why
    assert "18 frames, 3 to open and 6 without data to close, 1 round trip" in verdict.why


def test_a_connection_that_costs_no_more_than_another_breaks_it() -> None:
    assert costs_frames_to_connect(TCP, TCP6).outcome is Outcome.BROKEN
    assert costs_frames_to_connect(DATAGRAMS, TCP).outcome is Outcome.BROKEN


def test_boundaries_are_kept_in_the_steps_over_udp_and_no_others() -> None:
    verdict = keeps_boundaries_in_datagrams_only(TCP, ONE_DATAGRAM)
    assert verdict.outcome is Outcome.HOLDS, verdict.why
    assert verdict.why == "kept in fragments of conversation, fragments"


def test_boundaries_lost_over_udp_break_it() -> None:
    verdict = keeps_boundaries_in_datagrams_only(TCP, DATAGRAMS)
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.why == "kept in none of conversation, conversation"


@pytest.mark.parametrize(
    "claim",
    [carries_the_same_messages, costs_frames_to_connect, keeps_boundaries_in_datagrams_only],
    ids=lambda claim: claim.name,
)
def test_of_programs_that_print_nothing_nothing_is_compared(claim: Claim) -> None:
    verdict = claim(TCP, SILENT)
    assert verdict.outcome is Outcome.UNDECIDED
    assert verdict.why == "the programs printed no calls in conversation"
