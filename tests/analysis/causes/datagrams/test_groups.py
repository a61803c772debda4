"""What is said of groups; tests/kernel/programs has the programs that show each cause."""

from __future__ import annotations

import pytest
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.datagrams.groups import unheard_groups
from lab.analysis.causes.facts.step_facts import StepFacts


@pytest.mark.parametrize("name", ["multicast4", "multicast6", "broadcast4", "traced-udp4"])
def test_nothing_is_said_where_calls_are_not_known_or_nobody_sends_to_a_group(name: str) -> None:
    for timeline in build_timelines(s.recording_of(name)):
        assert not [*unheard_groups(StepFacts(timeline))]
