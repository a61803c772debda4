"""Why segments did not come, of all recordings."""

from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.loss import NotTaken, loss_of
from lab.analysis.causes.facts.step_facts import StepFacts
from lab.analysis.tcp.segment import UNTAKEN, Note
from lab.records import Recording

NAMES = sorted(path.name for path in r.FOLDER.iterdir())


def losses(run: Recording) -> list[NotTaken]:
    found = []
    for timeline in build_timelines(run):
        facts = StepFacts(timeline)
        for _, segment in facts.carried.values():
            loss = loss_of(facts, segment)
            if loss is not None:
                found.append(loss)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_what_was_taken_was_not_lost_and_what_left_and_never_came_was(name: str) -> None:
    for timeline in build_timelines(s.recording_of(name)):
        facts = StepFacts(timeline)
        known = {event.id for event in timeline.order.events}
        for _, segment in facts.carried.values():
            loss = loss_of(facts, segment)
            if not segment.notes & UNTAKEN:
                assert loss is None
            elif Note.LOST in segment.notes and not facts.crossing(segment).strikes:
                assert loss is not None
            assert loss is None or known.issuperset(loss.evidence)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("loss-syn4", "the wire's rule 'client>server drop SYN from 1 to 2' dropped it (strike 1)"),
        ("user-timeout4", "the link was down, by the wire's rule 'client-server down after ack 2'"),
        ("corrupt4", "the wire's rule 'client>server corrupt -1 data 1' has corrupted it on its w"),
        (
            "pmtu4",
            "it was last seen at r1: 1280 bytes are the most that it can send on (ICMP er",
        ),
    ],
)
def test_the_reason_is_named_where_it_is_known(name: str, text: str) -> None:
    assert any(loss.text.startswith(text) for loss in losses(s.recording_of(name)))


def test_where_no_reason_is_known_the_place_is_said() -> None:
    run = replace(s.recording_of("loss-syn4"), wire_strikes=(), wire_rules=())
    assert losses(run) == [NotTaken("it was last seen at client", ())] * 2


def test_what_a_rule_has_rewritten_has_come() -> None:
    (timeline,) = build_timelines(s.recording_of("wired-tcp4"))
    facts = StepFacts(timeline)
    (rewritten,) = (each for each in timeline.struck if each.rule.action == "rewrite")
    assert rewritten.frame is not None
    assert loss_of(facts, facts.carried[rewritten.frame.number][1]) is None
