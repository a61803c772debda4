from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import recorded as r

from lab.analysis.flows.bracket import Bracket, find_brackets
from lab.analysis.judging import overall
from lab.model.claim import Outcome
from lab.records import Direction, Disturbance, Frame, Recording

GOOD = r.recorded(4)
CANARIES = GOOD.canaries
STEP = CANARIES[0].step


def bracket_of(recording: Recording) -> Bracket:
    (bracket,) = find_brackets(recording)
    return bracket


def canary_frames(which: int) -> list[Frame]:
    return [f for f in GOOD.frames if f.data[14:] == CANARIES[which].payload]


def seen_without(gone: Sequence[Frame]) -> Recording:
    return r.with_frames(GOOD, [f for f in GOOD.frames if f not in gone])


def with_point(**fields: Any) -> Recording:
    first, *others = GOOD.points
    return replace(GOOD, points=(replace(first, **fields), *others))


def cut(recording: Recording) -> Recording:
    frame = r.sightings(recording, 8)[0]
    frames = [replace(f, data=f.data[:60]) if f is frame else f for f in recording.frames]
    return replace(recording, frames=tuple(frames))


def swapped(which: int) -> Recording:
    """A canary whose arrival is stamped earlier than its departure."""
    frames = canary_frames(which)
    early = [replace(f, time_ns=f.time_ns - 50_000) for f in frames if f.direction is Direction.IN]
    late = [f for f in frames if f.direction is Direction.OUT]
    others = [f for f in GOOD.frames if f not in frames]
    story = sorted([*others, *early, *late], key=lambda frame: frame.time_ns)
    return replace(GOOD, frames=tuple(story))


INCOMPLETE = {
    "the clock was set": (
        replace(GOOD, clock_step_ns=-2_000_000_000),
        "the clock was set by -2000.0 ms during the run",
    ),
    "a canary arrived before it left": (
        swapped(0),
        "a canary sent at client/eth0 was seen arriving before it left",
    ),
    "an opening canary left and never arrived": (
        seen_without([f for f in canary_frames(0) if f.direction is Direction.IN]),
        "a canary sent at client/eth0 (opening) was not seen everywhere",
    ),
    "an opening canary arrived and was not seen leaving": (
        seen_without([f for f in canary_frames(1) if f.direction is Direction.OUT]),
        "a canary sent at server/eth0 (opening) was not seen everywhere",
    ),
    "a closing canary was never seen": (
        seen_without(canary_frames(-1)),
        "a canary sent at server/eth0 (closing) was not seen everywhere",
    ),
    "no canary was sent": (
        replace(seen_without([f for n in range(12) for f in canary_frames(n)]), canaries=()),
        "no opening canary was sent at client/eth0",
    ),
    "no closing canary was sent": (
        replace(GOOD, canaries=tuple(c for c in CANARIES if c.bracket == "opening")),
        "no closing canary was sent at server/eth0",
    ),
    "one point was never bracketed": (
        replace(GOOD, canaries=tuple(c for c in CANARIES if c.point == "client/eth0")),
        "no opening canary was sent at server/eth0",
    ),
    "an opening canary was seen late": (
        replace(
            GOOD,
            programs=tuple(
                replace(run, started_ns=GOOD.frames[0].time_ns) if run.name == "server" else run
                for run in GOOD.programs
            ),
        ),
        "program server had started when an opening canary was seen",
    ),
    "the closing canaries were seen early": (
        replace(
            GOOD,
            programs=tuple(
                replace(run, ended_ns=GOOD.frames[-1].time_ns + 1) if run.name == "client" else run
                for run in GOOD.programs
            ),
        ),
        "program client had not ended when the closing canaries were seen",
    ),
    "the kernel dropped frames": (
        with_point(dropped=3, frames=35),
        "the kernel dropped 3 frames at client/eth0",
    ),
    "the kernel counted more frames": (
        with_point(frames=33),
        "client/eth0 counted 33 frames, 32 recorded",
    ),
    "the kernel counted fewer frames": (
        with_point(frames=31),
        "client/eth0 counted 31 frames, 32 recorded",
    ),
    "a program took the link down": (
        replace(GOOD, disturbances=(Disturbance(STEP, ("server",), "it is down"),)),
        "it is down",
    ),
    "a frame was cut short": (cut(GOOD), "1 frame cut short"),
}


def test_a_whole_recording_is_not_incomplete() -> None:
    for family in (4, 6):
        bracket = bracket_of(r.recorded(family))
        assert bracket.incomplete == ()
        assert (bracket.canaries_sent, bracket.canaries_seen) == (12, 12)
        assert (len(bracket.frames), bracket.outside, bracket.dropped) == (40, 0, 0)


@pytest.mark.parametrize("why", INCOMPLETE)
def test_an_incomplete_recording_says_why(why: str) -> None:
    recording, reason = INCOMPLETE[why]
    assert reason in bracket_of(recording).incomplete


@pytest.mark.parametrize("why", INCOMPLETE)
def test_nothing_is_decided_from_an_incomplete_recording(why: str) -> None:
    recording, reason = INCOMPLETE[why]
    _, judgements = r.judged(recording, r.CLAIMS)
    for judgement in judgements:
        assert judgement.verdict.outcome is Outcome.UNDECIDED
        assert reason in judgement.verdict.why
    assert overall(judgements) is Outcome.UNDECIDED


def test_what_breaks_a_claim_is_undecided_where_the_capture_is_incomplete() -> None:
    broken = r.without(19, 20)(GOOD)
    assert r.verdict_of("tcp-closes", broken).outcome is Outcome.BROKEN
    incomplete = replace(broken, points=tuple(replace(p, dropped=1) for p in broken.points))
    verdict = r.verdict_of("tcp-closes", incomplete)
    assert verdict.outcome is Outcome.UNDECIDED
    assert verdict.evidence == r.verdict_of("tcp-closes", broken).evidence


def test_frames_outside_the_bracket_are_counted_and_not_shown() -> None:
    first, last = GOOD.frames[0], GOOD.frames[-1]
    stray = replace(first, data=bytes(60), wire_bytes=60)
    early = replace(stray, time_ns=first.time_ns - 1)
    late = replace(stray, time_ns=last.time_ns + 1)
    recording = r.with_frames(GOOD, [early, *GOOD.frames, late])
    bracket = bracket_of(recording)
    assert bracket.frames == bracket_of(GOOD).frames
    assert (bracket.outside, bracket.incomplete) == (2, ())


def test_a_canary_seen_only_where_it_was_sent_is_missing() -> None:
    arrivals = [f for n in range(12) for f in canary_frames(n) if f.direction is Direction.IN]
    bracket = bracket_of(seen_without(arrivals))
    assert bracket.canaries_seen == 0
    assert len(bracket.incomplete) == 12


def test_a_link_of_one_point_sees_its_canary_twice_at_that_point() -> None:
    point = replace(GOOD.points[0], link="lo", frames=2)
    canary = CANARIES[0]
    data = bytes(14) + canary.payload
    frames = [
        Frame(time, point.name, direction, data, len(data))
        for time, direction in ((1, Direction.OUT), (2, Direction.IN))
    ]
    alone = replace(GOOD, points=(point,), canaries=(canary,), frames=tuple(frames))
    assert bracket_of(alone).canaries_seen == 1
    deaf = replace(alone, frames=tuple(frames[:1]))
    assert bracket_of(deaf).canaries_seen == 0


def test_a_closing_canary_in_the_next_step_makes_the_first_one_incomplete() -> None:
    whole = r.twice(GOOD)
    closing = next(c for c in whole.canaries if c.bracket == "closing").payload
    later_ns = 10**9
    frames = [
        replace(f, time_ns=f.time_ns + later_ns) if f.data[r.ETHERNET :] == closing else f
        for f in whole.frames
    ]
    first, second = find_brackets(r.with_frames(whole, frames))
    assert first.incomplete == ("a closing canary was seen when the next step had begun",)
    assert second.incomplete == ()


def test_a_canary_missing_makes_that_step_alone_incomplete() -> None:
    recording = r.twice(GOOD)
    payload = next(c.payload for c in recording.canaries if c.step == "again")
    gone = [f for f in recording.frames if f.data[14:] != payload]
    first, second = find_brackets(r.with_frames(recording, gone))
    assert first.incomplete == ()
    assert second.incomplete == ("a canary sent at client/eth0 (opening) was not seen everywhere",)


def test_frames_dropped_in_any_step_make_them_all_incomplete() -> None:
    first, second = find_brackets(r.incomplete(r.twice(GOOD)))
    assert first.incomplete == second.incomplete != ()


def test_frames_between_two_steps_belong_to_neither() -> None:
    recording = r.twice(GOOD)
    stray = replace(GOOD.frames[0], data=bytes(60), time_ns=GOOD.frames[-1].time_ns + 10**6)
    first, second = find_brackets(r.with_frames(recording, [*recording.frames, stray]))
    assert (len(first.frames), len(second.frames)) == (40, 40)
    assert (first.outside, second.outside) == (0, 1)
