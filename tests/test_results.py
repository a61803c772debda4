from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import recorded as r
from event_ids import event
from results import result_with

from lab.analysis.assembly import build_timelines
from lab.model.claim import Outcome, Verdict
from lab.results import exit_status

CLAIM = r.CLAIMS[0].id


def verdict(outcome: Outcome) -> dict[str, Verdict]:
    return {CLAIM: Verdict(outcome, "because", (event("f1"),))}


@pytest.mark.parametrize(
    ("outcome", "overall", "status"),
    [
        (Outcome.HOLDS, Outcome.HOLDS, 0),
        (Outcome.SKIPPED, Outcome.HOLDS, 0),
        (Outcome.UNDECIDED, Outcome.UNDECIDED, 4),
        (Outcome.BROKEN, Outcome.BROKEN, 1),
    ],
)
def test_a_result_is_the_worst_of_its_claims_and_a_command_ends_with_it(
    outcome: Outcome, overall: Outcome, status: int
) -> None:
    result = result_with(verdict(outcome))
    assert result.outcome is overall
    assert exit_status([result_with({}), result]) == status


def test_a_program_that_failed_is_worse_than_a_claim_that_is_broken() -> None:
    failed = result_with(verdict(Outcome.BROKEN), failure="exited with status 3")
    assert failed.failures == ("program client exited with status 3",)
    assert exit_status([failed]) == 2


def test_a_result_has_its_recording_and_a_ladder_for_each_step() -> None:
    result = result_with({})
    assert result.recording == r.recorded(4)
    twice = replace(result, timelines=build_timelines(r.twice(r.recorded(4))))
    assert len(twice.ladders) == len(twice.timelines) == 2
    assert twice.ladder is twice.ladders[0]


def test_a_failure_names_the_page_or_how_to_have_it(tmp_path: Path) -> None:
    run = replace(result_with({}), folder=tmp_path)
    assert run.drawn()[2] == []
    (tmp_path / "recording.pcapng").touch()
    capture = f"capture: {tmp_path}/recording.pcapng"
    assert run.drawn()[2] == [capture, f"report: `wirelab report {tmp_path}` writes it"]
    (tmp_path / "report.html").touch()
    assert run.drawn()[2] == [capture, f"report: {tmp_path}/report.html"]
