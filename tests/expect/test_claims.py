from __future__ import annotations

from pathlib import Path

import pytest
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.judging import judge
from lab.errors import PointedError
from lab.expect.claims import expected_claims, expecting
from lab.model.claim import Outcome
from lab.run import with_expectations
from scenarios.tcp import SCENARIO


def test_words_of_the_command_line_are_claims_that_no_file_has() -> None:
    words = ["no-reset", "round-trips<=1", "no-reset", "exits:client=0"]
    claims = expected_claims(words, SCENARIO.steps)
    assert [claim.name for claim in claims] == ["no-reset", "round-trips<=1", "exits:client=0"]
    assert {claim.place for claim in claims} == {("", 0)}
    verdicts = [each.verdict for each in judge(claims, build_timelines(s.recording_of("tcp4")))]
    assert [each.outcome for each in verdicts] == [Outcome.HOLDS, Outcome.BROKEN, Outcome.HOLDS]
    assert "round trips: expected at most 1, was 2" in verdicts[1].why


def test_a_scenario_may_list_them_and_fails_at_its_own_line() -> None:
    claim = expecting("no-reset", SCENARIO.steps[0])
    file, line = claim.place
    assert Path(file).name == Path(__file__).name
    assert "claim = expecting" in Path(__file__).read_text("utf-8").splitlines()[line - 1]


def test_they_come_before_the_claims_of_the_scenario() -> None:
    scenario = with_expectations(SCENARIO, ["silent"])
    assert scenario.claims[0].id == "tcp-silent"
    assert scenario.claims[1:] == SCENARIO.claims
    assert with_expectations(SCENARIO, []) is SCENARIO
    with pytest.raises(PointedError):
        with_expectations(SCENARIO, ["silence"])
