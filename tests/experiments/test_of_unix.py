"""Each of these experiments is one that there can be, and is for a kind of cause of its own."""

from __future__ import annotations

from lab.analysis.causes.catalogue import CAUSE_KINDS
from lab.experiments.of_unix import OF_UNIX


def test_each_is_for_a_cause_of_its_own() -> None:
    causes = [each.cause for each in OF_UNIX]
    assert set(causes) <= set(CAUSE_KINDS)
    assert len(set(causes)) == len(causes)


def test_each_can_be_compiled_and_made_a_scenario() -> None:
    for each in OF_UNIX:
        assert each.scenario.steps[0].programs
        for code in (each.client, each.server):
            compile(code.replace("{port}", "4242"), each.cause, "exec")
