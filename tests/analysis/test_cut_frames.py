"""Frames that were cut behind their headers, as was asked, decide claims that go by headers."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.analysis.judging import judge
from lab.model.claim import Claim, Outcome, Verdict
from lab.records import Frame, Recording
from lab.scenario_files import find_recorded, load_scenario
from scenarios.tcp import SCENARIO

BEHIND = {4: 80, 6: 100}
"""Behind the headers of all segments, a SYN's options among them."""
NAMES = ("tcp4", "tcp6", "traced-tcp4", "traced-tcp6", "reset4", "half-close4")


def cut(recording: Recording, snap_bytes: int, *, was_asked: bool = True) -> Recording:
    """The recording as it would be with --snap."""

    def shorter(frame: Frame) -> Frame:
        return replace(frame, data=frame.data[:snap_bytes])

    frames = tuple(map(shorter, recording.frames))
    return replace(recording, frames=frames, snap_bytes=snap_bytes if was_asked else None)


@cache
def claims_of(recording_name: str) -> tuple[Claim, ...]:
    recording = r.recording_of(recording_name)
    return load_scenario(find_recorded(recording.scenario, recording.source, "")).claims


def verdicts(recording: Recording, claims: tuple[Claim, ...]) -> dict[str, Verdict]:
    judged = judge(claims, build_timelines(recording))
    return {each.claim.name: each.verdict for each in judged}


@pytest.mark.parametrize("name", NAMES)
def test_what_goes_by_headers_is_decided_and_all_else_is_not(name: str) -> None:
    recording = r.recording_of(name)
    assert recording.family is not None
    claims = claims_of(name)
    whole = verdicts(recording, claims)
    snap_bytes = BEHIND[recording.family.value]
    assert any(len(frame.data) > snap_bytes for frame in recording.frames)
    now = verdicts(cut(recording, snap_bytes), claims)
    why = f"incomplete capture: frames were cut to {snap_bytes} bytes, as was asked"
    for claim in claims:
        if claim.by_headers:
            assert now[claim.name] == whole[claim.name]
        elif whole[claim.name].outcome is not Outcome.SKIPPED:
            assert now[claim.name].outcome is Outcome.UNDECIDED
            # A check may know better itself why.
            assert now[claim.name].why == why or "cannot be computed" in now[claim.name].why


def test_most_of_the_claims_on_tcp_go_by_headers() -> None:
    others = {claim.name for claim in SCENARIO.claims if not claim.by_headers}
    assert others == {"bytes", "boundaries", "checksums", "accounting", "traced"}


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("neighbour", r.without(1)),
        ("opens", r.changed(4, r.add_to("ack", 1))),
        ("no-early-payload", r.changed(3, r.set_payload(bytes(20)))),
        ("options", r.changed(8, r.drop_option(8))),
        ("acknowledged", r.changed(20, r.add_to("ack", -1))),
        ("closes", r.changed(20, r.add_to("ack", -1))),
    ],
)
@pytest.mark.parametrize("family", [4, 6])
def test_a_claim_that_is_broken_is_so_by_headers(family: int, name: str, edit: r.Edit) -> None:
    recording = edit(r.recorded(family))
    whole = verdicts(recording, SCENARIO.claims)[name]
    assert whole.outcome is Outcome.BROKEN
    assert verdicts(cut(recording, BEHIND[family]), SCENARIO.claims)[name] == whole


@pytest.mark.parametrize(
    ("name", "snap_bytes", "why"),
    [
        ("tcp4", 64, "cut within their headers"),
        ("tcp6", 84, "cut within their headers"),
        ("fragments4", 100, "cut within their headers"),
        ("loss-data4", 80, "of a wire is on no frame that was seen leaving"),
    ],
)
def test_nothing_is_decided_where_not_even_headers_are_known(
    name: str, snap_bytes: int, why: str
) -> None:
    recording = r.recording_of(name)
    found = judge(SCENARIO.claims, build_timelines(cut(recording, snap_bytes)))
    asked = [each for each in found if each.claim.by_headers]
    assert {each.verdict.outcome for each in asked} <= {Outcome.UNDECIDED, Outcome.SKIPPED}
    told = [each.verdict.why for each in asked if each.verdict.why.startswith("incomplete")]
    assert told
    assert all(why in each and "as was asked" in each for each in told)


def test_frames_that_nobody_asked_to_be_cut_decide_nothing() -> None:
    recording = cut(r.recorded(4), 80, was_asked=False)
    found = verdicts(recording, SCENARIO.claims)
    assert {each.outcome for each in found.values()} <= {Outcome.UNDECIDED, Outcome.SKIPPED}
    (last, *_) = (f for f in reversed(recording.frames) if len(f.data) < f.wire_bytes)
    shorter = tuple(replace(f, data=f.data[:79]) if f is last else f for f in recording.frames)
    found = verdicts(replace(recording, frames=shorter, snap_bytes=80), SCENARIO.claims)
    assert found["opens"].outcome is Outcome.UNDECIDED
    assert "1 frame cut short" in found["opens"].why


def test_where_no_frame_was_longer_everything_is_decided() -> None:
    recording = replace(r.recorded(4), snap_bytes=1500)
    assert verdicts(recording, SCENARIO.claims) == verdicts(r.recorded(4), SCENARIO.claims)


def test_other_doubts_leave_nothing_decided() -> None:
    found = verdicts(r.incomplete(cut(r.recorded(4), 80)), SCENARIO.claims)
    assert found["opens"].outcome is Outcome.UNDECIDED
