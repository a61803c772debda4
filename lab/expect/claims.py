"""Expectations as claims, which are judged and reported on with a run's own."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lab.expect.subject import subjects_of_run
from lab.expect.words import parse_expectation
from lab.model.claim import Claim, Outcome, Verdict

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline
    from lab.expect.expectation import Expectation
    from lab.model.program import Step

MOST_SAID = 3
COMMAND_LINE = ("", 0)
"""The place of what no file has."""


def expecting(words: str, *steps: Step) -> Claim:
    """The claim of a scenario that these words are, as of `--expect`: expecting("no-reset", STEP).

    Without steps it is about the first. Failures point to the line where this is called.
    Raises PointedError.
    """
    caller = sys._getframe(1)
    place = caller.f_code.co_filename, caller.f_lineno
    return _claim(parse_expectation(words), steps, place)


def expected_claims(words: Iterable[str], steps: Sequence[Step]) -> tuple[Claim, ...]:
    """The claims that `--expect` asks for, on all steps of a run. Raises PointedError."""
    return tuple(
        _claim(parse_expectation(each), steps, COMMAND_LINE) for each in dict.fromkeys(words)
    )


def _claim(expectation: Expectation, steps: Sequence[Step], place: tuple[str, int]) -> Claim:
    def check(*timelines: Timeline) -> Verdict:
        verdict = expectation.found(subjects_of_run(timelines))
        holds = verdict.outcome is Outcome.HOLDS
        return Verdict(verdict.outcome, _why(verdict), verdict.evidence, is_observed=holds)

    return Claim(
        expectation.name,
        expectation.sentence,
        expectation.source,
        check,
        steps=tuple(steps),
        despite_failures=True,
        written=place,
    )


def _why(verdict: Verdict) -> str:
    """Its reason, with what was expected beside what was there."""
    first = verdict.compared[:MOST_SAID]
    said = (f"{each.what}: expected {each.expected}, was {each.actual}" for each in first)
    return "; ".join((verdict.why, *said))
