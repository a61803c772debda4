"""Claims of a flood of SYNs: each holds of a recorded run, and can be broken or left open."""

from __future__ import annotations

from dataclasses import replace

import pytest
from timeline_edits import edited, outcome, timeline_of

from lab.analysis.timeline import Timeline
from lab.checks.connections.syn_cookies import (
    answers_every_syn,
    lets_a_true_client_in,
    sends_cookies,
)
from lab.model.claim import Claim, Outcome

HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
EACH = pytest.mark.parametrize(
    "claim", [answers_every_syn, sends_cookies, lets_a_true_client_in], ids=lambda each: each.name
)
SYNS = 64


def recorded() -> Timeline:
    return timeline_of("syn-flood4")


def counting(timeline: Timeline, **counters: int) -> Timeline:
    recording = timeline.recording
    seen = tuple(replace(each, changes=each.changes | counters) for each in recording.counters)
    return replace(timeline, recording=replace(recording, counters=seen))


@EACH
def test_it_holds_of_a_recorded_run(claim: Claim) -> None:
    verdict = claim(recorded())
    assert verdict.outcome is HOLDS, verdict.why
    assert verdict.evidence


@EACH
def test_without_a_flood_nothing_is_decided(claim: Claim) -> None:
    assert outcome(claim, timeline_of("traced-tcp4")) is UNDECIDED


def test_a_syn_without_an_answer_breaks_it() -> None:
    timeline = recorded()
    answer = next(c.number for c in timeline.crossings if c.sender == "server" and c.packet.tcp)
    without = edited(timeline, lambda c: None if c.number == answer else c)
    assert outcome(answers_every_syn, without) is BROKEN


@pytest.mark.parametrize("sent", [0, SYNS + 2])
def test_cookies_that_cannot_have_been_sent_decide_nothing(sent: int) -> None:
    assert outcome(sends_cookies, counting(recorded(), TcpExtSyncookiesSent=sent)) is UNDECIDED


@pytest.mark.parametrize("came", [0, 2])
def test_a_client_that_brought_no_cookie_back_decides_nothing(came: int) -> None:
    changed = counting(recorded(), TcpExtSyncookiesRecv=came)
    assert outcome(lets_a_true_client_in, changed) is UNDECIDED


@pytest.mark.parametrize("claim", [sends_cookies, lets_a_true_client_in], ids=lambda c: c.name)
def test_counters_that_were_not_read_decide_nothing(claim: Claim) -> None:
    timeline = recorded()
    unread = replace(timeline, recording=replace(timeline.recording, counters=()))
    assert outcome(claim, unread) is UNDECIDED


def test_a_client_that_is_kept_out_breaks_it() -> None:
    timeline = recorded()
    half = tuple(talk for talk in timeline.conversations if talk.handshake is None)
    assert len(half) == SYNS
    assert outcome(lets_a_true_client_in, replace(timeline, conversations=half)) is BROKEN


def test_a_client_without_an_answer_breaks_it() -> None:
    timeline = recorded()
    answers = {c.number for c in timeline.crossings if c.sender == "server" and c.packet.payload}
    silent = edited(timeline, lambda c: None if c.number in answers else c)
    assert outcome(lets_a_true_client_in, silent) is BROKEN
