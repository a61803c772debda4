from __future__ import annotations

from event_ids import event

from lab.analysis.decisions import decide
from lab.model.claim import Claim, Judgement, Outcome, Verdict, broken
from lab.model.statements import Statement

STATEMENT = Statement("X1", "What is asked?", "what the notes say", "what is true")


def judgement(
    outcome: Outcome, claim: str = "claim", statements: tuple[str, ...] = ("X1",)
) -> Judgement:
    verdict = Verdict(outcome, "because", (event("f1"),))
    return Judgement(
        Claim(claim, "text", "source", lambda _: broken(""), statements), verdict, "text"
    )


def outcome_of(*outcomes: Outcome) -> Outcome:
    (decision,) = decide([STATEMENT], [("scenario", judgement(outcome)) for outcome in outcomes])
    return decision.outcome


def test_a_statement_is_the_worst_of_its_claims() -> None:
    assert outcome_of(Outcome.HOLDS, Outcome.HOLDS) is Outcome.HOLDS
    assert outcome_of(Outcome.HOLDS, Outcome.UNDECIDED) is Outcome.UNDECIDED
    assert outcome_of(Outcome.UNDECIDED, Outcome.BROKEN, Outcome.HOLDS) is Outcome.BROKEN


def test_a_statement_is_skipped_only_where_all_its_claims_are() -> None:
    assert outcome_of(Outcome.SKIPPED, Outcome.SKIPPED) is Outcome.SKIPPED
    assert outcome_of(Outcome.SKIPPED, Outcome.HOLDS) is Outcome.HOLDS


def test_a_statement_that_no_claim_decides_is_undecided() -> None:
    judged = [("scenario", judgement(Outcome.HOLDS, statements=()))]
    (decision,) = decide([STATEMENT], judged)
    assert decision.outcome is Outcome.UNDECIDED
    assert decision.by == ()


def test_a_decision_names_scenario_and_claim_once() -> None:
    judged = [("tcp", judgement(Outcome.HOLDS, "a")), ("tcp", judgement(Outcome.BROKEN, "a"))]
    (decision,) = decide([STATEMENT], judged)
    assert decision.by == (("tcp", "a", Outcome.BROKEN),)
