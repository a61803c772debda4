"""Questions who has an address, and whether anybody answered."""

from __future__ import annotations

from dataclasses import replace

import pytest
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.neighbours import unanswered
from lab.analysis.causes.facts.step_facts import StepFacts
from lab.analysis.flows.crossing import Crossing
from lab.records import Recording

LATE = 1 << 63


def asked(run: Recording, host: str = "client") -> list[str]:
    (timeline, *_) = build_timelines(run)
    return [str(each.target) for each in unanswered(StepFacts(timeline), host, 0, LATE)]


def is_answer(crossing: Crossing) -> bool:
    arp, icmp = crossing.packet.arp, crossing.packet.icmp
    return (arp is not None and arp.operation == 2) or (icmp is not None and icmp.type == 136)


@pytest.mark.parametrize(
    ("name", "target"), [("tcp4", "198.51.100.2"), ("tcp6", "2001:db8::2")]
)  # fmt: skip
def test_a_question_without_its_answer_is_one_that_nobody_answered(name: str, target: str) -> None:
    run = s.recording_of(name)
    (timeline, *_) = build_timelines(run)
    assert asked(run) == []
    deaf = s.without(timeline.step, is_answer)(run)
    assert asked(deaf) == [target]
    assert asked(deaf, "server") == []


def test_a_question_after_that_time_is_not_asked_yet() -> None:
    (timeline, *_) = build_timelines(s.without("conversation", is_answer)(s.recording_of("tcp4")))
    (first, *_) = (each for each in timeline.crossings if each.packet.arp is not None)
    facts = StepFacts(replace(timeline))
    assert unanswered(facts, "client", 0, first.time_ns) == []
    assert len(unanswered(facts, "client", 0, first.time_ns + 1)) == 1
