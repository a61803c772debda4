from __future__ import annotations

import pytest
import recorded as r
import run_edits as e
import step_edits as s
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.assembly import build_timelines
from lab.analysis.judging import judge
from lab.model.claim import Outcome
from lab.records import Recording
from scenarios.buffers import SCENARIO

CLAIMS = [claim.id for claim in SCENARIO.claims]
STEP_OF = {claim.id: claim.step_names[0] for claim in SCENARIO.claims}
REPLY = "b'An endpoint of a two-way channel.'"
FIRST_BACK = "write(4, b'<' * 512) = 512"


def run() -> Recording:
    return s.recording_of("buffers")


BROKEN = [
    ("two-way", e.told("exchange", f"read(3, {REPLY}", "read(3, b'Nothing'", 1), "7 read from 3"),
    ("two-way", e.line_gone("exchange", "read(4", after="socketpair"), "0 read from 4"),
    ("pipe-one-way", e.told("exchange", "?') = -1 EBADF", "?') = 17"), "was not refused"),
    ("pipe-one-way", e.told("exchange", "4096) = -1 EBADF", "4096) = 0"), "was not refused"),
    ("pipe-one-way", e.told("exchange", "EBADF", "EPIPE", 1), "was not refused"),
    ("pipe-one-way", e.told("exchange", "(3, b'What i", "(3, b'Who i", after="EBADF"), "right way"),
    ("apart", e.told("fill", f"{FIRST_BACK}\n", ""), "did not leave the other one free"),
    ("apart", e.told("fill", FIRST_BACK, "write(4, b'<') = -1 EAGAIN"), "other one free"),
    ("apart", e.told("fill", "read(3, b'<'", "read(3, b'>'", 1), "other one free"),
    ("socket-size", e.told("fill", "SIOCOUTQ) = 2", "SIOCOUTQ) = 1"), "full at 1"),
    ("socket-size", e.told("fill", "SO_SNDBUF) = 2", "SO_SNDBUF) = 9"), "of 9"),
    ("socket-size", e.told("fill", "SO_SNDBUF) = 2", "SO_SNDBUF) = 1"), "of 1"),
    ("pipe-exchange", e.told("exchange", REPLY, "b'?'", 1, after="pipe"), "written, 1 read"),
    ("pipe-exchange", e.told("exchange", REPLY, REPLY.upper().lower(), after="pipe"), "carried"),
    ("pipe-fill", e.line_gone("fill", "write(8", after="pipe"), "other one free"),
    ("pipe-size", e.told("fill", "F_GETPIPE_SZ) = 6", "F_GETPIPE_SZ) = 7"), "were taken"),
    ("pipe-size", e.told("fill", "SC_PAGESIZE) = 4096", "SC_PAGESIZE) = 4095"), "were taken"),
    ("fifo-exchange", e.told("exchange", REPLY, "b'?'", 1, after="mkfifo"), "written, 1 read"),
    ("fifo-fill", e.line_gone("fill", "write(12", after="mkfifo"), "other one free"),
    ("fifo-open", e.told("open", "-1 ENXIO", "7"), "not refused with ENXIO"),
    ("fifo-open", e.told("open", "-1 ENXIO", "-1 EACCES"), "not refused with ENXIO"),
    ("fifo-open", e.told("open", ") S ", ") R "), "did not wait"),
    ("fifo-open", e.told("open", "POLLIN) = 0", "POLLIN) = 1"), "did not wait"),
    ("fifo-mixes", e.told("reader", "one. ", "two. "), "not what all writers wrote"),
    ("fifo-mixes", e.told("reader", "recv(6, b'I am", "recv(6, b'Am"), "keep the writers apart"),
    ("fifo-mixes", e.told("writer-1", "you: I am one", "you: I am two"), "another's connection"),
    ("silent", e.leaked("fill", "client/lo"), "1 frame seen"),
    ("silent", e.leaked("mix", "server/eth0"), "1 frame seen"),
]


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_holds_for_a_recorded_run(claim: str) -> None:
    verdict = s.verdict_of(SCENARIO, claim, run())
    assert verdict.outcome is Outcome.HOLDS, verdict.why
    assert verdict.evidence


@pytest.mark.parametrize(("claim", "edit", "why"), BROKEN)
def test_a_claim_is_broken_by_a_run_that_does_otherwise(claim: str, edit: r.Edit, why: str) -> None:
    verdict = s.verdict_of(SCENARIO, f"buffers-{claim}", edit(run()))
    assert (verdict.outcome, why in verdict.why) == (Outcome.BROKEN, True), verdict.why


def test_every_claim_has_a_run_that_breaks_it() -> None:
    assert {f"buffers-{case[0]}" for case in BROKEN} == set(CLAIMS)


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_is_undecided_where_the_programs_print_nothing(claim: str) -> None:
    verdict = s.verdict_of(SCENARIO, claim, r.silent(run()))
    assert verdict.outcome is Outcome.UNDECIDED


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_is_undecided_where_the_capture_is_incomplete(claim: str) -> None:
    step = STEP_OF[claim]
    for edit in (s.without_a_canary(step), s.with_drops, e.cut_off_in(step)):
        assert s.verdict_of(SCENARIO, claim, edit(run())).outcome is Outcome.UNDECIDED


def test_silence_is_undecided_where_any_step_of_it_was_not_watched() -> None:
    for step in SCENARIO.steps:
        edit = s.without_a_canary(step.name)
        verdict = s.verdict_of(SCENARIO, "buffers-silent", edit(run()))
        assert verdict.outcome is Outcome.UNDECIDED


def test_silence_is_claimed_of_every_device() -> None:
    points = {point.name for point in run().points}
    assert points == {"client/eth0", "server/eth0", "client/lo", "server/lo"}


@pytest.mark.parametrize(
    ("old", "new"),
    [("65536", "4096"), ("65536", "1048576"), ("SC_PAGESIZE) = 4096", "SC_PAGESIZE) = 65536")],
)
def test_a_pipe_may_have_any_number_of_pages(old: str, new: str) -> None:
    """One where the user's share is used up (pipe(7)); larger ones on other machines."""
    verdict = s.verdict_of(SCENARIO, "buffers-pipe-size", e.told("fill", old, new)(run()))
    assert verdict.outcome is Outcome.HOLDS, verdict.why


def test_a_pipe_that_takes_less_by_small_writes_breaks_the_claim_on_pages() -> None:
    edit = e.told("fill", "read(5, b'>' * 65536, 16777216) = 65536", "read(5, b'>', 9) = 512", 1)
    verdict = s.verdict_of(SCENARIO, "buffers-pipe-size", edit(run()))
    assert (verdict.outcome, "[512, 65536]" in verdict.why) == (Outcome.BROKEN, True), verdict.why


def test_small_writes_that_leave_more_room_break_the_claim_on_memory() -> None:
    edit = e.told("fill", "read(4, b'>' * 180224, 16777216) = 180224", "read(4, b'>', 9) = 4096")
    verdict = s.verdict_of(SCENARIO, "buffers-socket-size", edit(run()))
    assert (verdict.outcome, "left more room" in verdict.why) == (Outcome.BROKEN, True), verdict.why


@examples(100)
@given(st.integers(0, 1 << 32))
def test_no_garbled_output_makes_judging_fail(seed: int) -> None:
    timelines = build_timelines(e.garbled(run(), seed))
    known = {call.id for t in timelines for calls in t.calls.values() for call in calls}
    for judgement in judge(SCENARIO.claims, timelines):
        assert set(judgement.verdict.evidence) <= known
