"""A RST with its ends."""

from __future__ import annotations

import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.reset import FIN, RST, Reset, SideSegments
from lab.analysis.causes.facts.step_facts import StepFacts


def test_a_reset_knows_what_came_before_it_and_who_learns_of_it() -> None:
    (timeline, *_) = build_timelines(s.recording_of("traced-reset4"))
    facts = StepFacts(timeline)
    (talk,) = timeline.conversations
    rst = next(each for each in talk.segments if each.crossing in talk.resets)
    ends = facts.side(talk, rst.from_client), facts.side(talk, not rst.from_client)
    reset = Reset(facts, talk, SideSegments(talk.segments), rst, "server", *ends)
    assert str(reset.id) == "f8"
    before = [each for each in talk.segments if each.crossing < 8]
    own = [each for each in before if not each.from_client]
    others = [each for each in before if each.from_client]
    assert ([*reset.own_before], [*reset.other_before]) == (own, others)
    assert (reset.own_before.first, reset.other_before.last) == (own[0], others[-1])
    assert len(reset.own_before) == len(own)
    for flag in (FIN, RST):
        assert [*reset.own_with(flag)] == [each for each in own if int(each.flags) & flag]
    assert reset.failed is not None
    assert reset.and_so() == "; client#4 (recvfrom) fails with ECONNRESET"
