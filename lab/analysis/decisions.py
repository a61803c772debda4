"""What the claims of many runs make of each statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lab.frozen import frozen
from lab.model.claim import Judgement, Outcome
from lab.model.statements import Statement

# The worst first: what a statement is where its claims differ.
_ORDER = (Outcome.BROKEN, Outcome.UNDECIDED, Outcome.HOLDS, Outcome.SKIPPED)


@frozen
class Decision:
    """A statement with what its claims turned out to be."""

    statement: Statement
    outcome: Outcome
    """The worst of its claims'; SKIPPED only where all were, UNDECIDED where there was none."""
    by: tuple[tuple[str, str, Outcome], ...]
    """(scenario, claim, outcome), the claims' worst where it was judged in several runs."""


def decide(
    statements: Iterable[Statement], judged: Sequence[tuple[str, Judgement]]
) -> tuple[Decision, ...]:
    """Each statement decided by the (scenario, judgement) pairs of all runs."""
    decisions: list[Decision] = []
    for statement in statements:
        found: dict[tuple[str, str], list[Outcome]] = {}
        for scenario, judgement in judged:
            if statement.id in judgement.claim.statements:
                key = scenario, judgement.claim.id
                found.setdefault(key, []).append(judgement.verdict.outcome)
        by = tuple((*key, _worst(outcomes)) for key, outcomes in found.items())
        decisions.append(Decision(statement, _worst([outcome for *_, outcome in by]), by))
    return tuple(decisions)


def _worst(outcomes: Sequence[Outcome]) -> Outcome:
    return next((outcome for outcome in _ORDER if outcome in outcomes), Outcome.UNDECIDED)
