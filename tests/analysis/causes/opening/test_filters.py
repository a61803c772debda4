"""A SYN that came and was not taken; tests of real filters are in test_waiting_runs.py."""

from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
import step_edits as s
from causes_found import causes_in

from lab.analysis.assembly import build_timelines
from lab.records import Recording

RUN = s.recording_of("loss-syn4")
(TIMELINE,) = build_timelines(RUN)
(TALK,) = TIMELINE.conversations


def only_syns(answers: int = 0) -> Recording:
    """Three SYNs came, and nothing more but so many answers."""
    syns = [each.crossing for each in TALK.segments[:3]]
    kept = {*syns, *(each.crossing for each in TALK.segments[3 : 3 + answers])}
    gone = {each.crossing for each in TALK.segments} - kept
    run = replace(RUN, wire_strikes=(), wire_rules=())
    run = s.without("conversation", lambda crossing: crossing.number in gone)(run)
    came = []
    for number in syns[:2]:
        frame = TIMELINE.crossing_of[number].packet.frame
        point = TIMELINE.crossing_of[TALK.segments[2].crossing].arrived.frame
        sent_ns = TIMELINE.crossing_of[number].sent_ns or 0
        came.append(
            replace(frame, point="server/eth0", direction=point.direction, time_ns=sent_ns + 9000)
        )
    return r.with_frames(run, [*run.frames, *came])


def test_syns_that_come_and_meet_silence_were_likely_filtered() -> None:
    from lab.records import Direction

    run = only_syns()
    frames = [
        replace(each, direction=Direction.IN) if each.point == "server/eth0" else each
        for each in run.frames
    ]
    found = causes_in(r.with_frames(run, frames), "conversation")
    assert "syn-filtered" in found
    cause = found["syn-filtered"]
    assert not cause.is_certain
    assert "3 SYNs in all" in cause.text
    assert "nft list ruleset" in cause.decided_by


def test_what_is_answered_was_not_filtered() -> None:
    assert "syn-filtered" not in causes_in(only_syns(1), "conversation")


@pytest.mark.parametrize("name", ["reset4", "traced-reset4", "backlog4", "syn-flood4"])
def test_a_refusal_that_is_the_kernels_own_is_no_filters(name: str) -> None:
    for timeline in build_timelines(s.recording_of(name)):
        found = causes_in(s.recording_of(name), timeline.step)
        assert not {"syn-filtered", "syn-refused-by-filter"} & set(found)
