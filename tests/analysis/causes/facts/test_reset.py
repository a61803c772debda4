"""A RST with its ends."""

from __future__ import annotations

import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.reset import Reset
from lab.analysis.causes.facts.step_facts import StepFacts


def test_a_reset_knows_what_came_before_it_and_who_learns_of_it() -> None:
    (timeline, *_) = build_timelines(s.recording_of("traced-reset4"))
    facts = StepFacts(timeline)
    (talk,) = timeline.conversations
    rst = next(each for each in talk.segments if each.crossing in talk.resets)
    ends = facts.side(talk, rst.from_client), facts.side(talk, not rst.from_client)
    reset = Reset(facts, talk, rst, "server", *ends)
    assert str(reset.id) == "f8"
    assert [each.crossing for each in reset.before] == [
        each.crossing for each in talk.segments if each.crossing < 8
    ]
    assert reset.failed is not None
    assert reset.and_so() == "; client#4 (recvfrom) fails with ECONNRESET"
