"""The exit status of a command, from what its runs found."""

from __future__ import annotations

import pytest
from results import result_with

from lab.model.claim import Outcome, Verdict
from lab.results import exit_status

HOLDS = result_with({})
CLAIM = HOLDS.judgements[0].claim.id


def ending(outcome: Outcome, why: str = "for a test") -> Verdict:
    return Verdict(outcome, why)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [(Outcome.SKIPPED, 0), (Outcome.BROKEN, 1), (Outcome.UNDECIDED, 4)],
)
def test_one_run_ends_the_command_with_its_verdict(outcome: Outcome, status: int) -> None:
    assert exit_status([result_with({CLAIM: ending(outcome)})]) == status


def test_a_run_whose_claims_hold_ends_it_with_zero() -> None:
    assert exit_status([HOLDS]) == 0


def test_the_worst_of_several_runs_counts() -> None:
    undecided = result_with({CLAIM: ending(Outcome.UNDECIDED)})
    broken = result_with({CLAIM: ending(Outcome.BROKEN)})
    assert exit_status([HOLDS, undecided]) == 4
    assert exit_status([undecided, broken, HOLDS]) == 1


def test_a_program_that_failed_counts_before_any_verdict() -> None:
    broken = result_with({CLAIM: ending(Outcome.BROKEN)}, failure="it crashed")
    assert exit_status([HOLDS, broken]) == 2
