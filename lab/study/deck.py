"""The cards: statements about sockets and kinds of causes, with what runs showed of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lab.analysis.causes.catalogue import CAUSE_KINDS
from lab.analysis.causes.find import find_causes
from lab.ladder.brief import excerpt
from lab.model.claim import Outcome
from lab.model.statements import STATEMENTS
from lab.study.card import Card, CardSubject

if TYPE_CHECKING:
    from lab.analysis.causes.facts.cause import Cause
    from lab.ladder.model import Ladder
    from lab.model.statements import Statement
    from lab.results import Result

ROWS_BEFORE, ROWS_BEHIND = 3, 3
"""Of a picture, around the first event that shows it."""


def make_deck(results: Sequence[Result], experiments: Sequence[Result] = ()) -> tuple[Card, ...]:
    """A card for each statement and for each kind of cause, whether the runs show it or not.

    What `experiments` are judged by says nothing of statements: they go wrong on purpose, and show
    causes that none of the results has.
    """
    return (
        *(_of_statement(statement, results) for statement in STATEMENTS),
        *_of_causes((*sorted(results, key=_length), *experiments)),
    )


def _of_statement(statement: Statement, results: Sequence[Result]) -> Card:
    """With the claim that decides it best: one about few other statements, of a short run."""
    judged = [
        (result, each)
        for result in results
        for each in result.judgements
        if statement.id in each.claim.statements
    ]
    wrong = [pair for pair in judged if pair[1].verdict.outcome is Outcome.BROKEN]
    held = [pair for pair in judged if pair[1].verdict.outcome is Outcome.HOLDS]
    answer = f"{statement.precisely} (The notes: {statement.text})"
    if not (wrong or held):
        return Card(CardSubject.STATEMENT, statement.id, statement.question, answer, "", "", None)
    result, judgement = min(
        wrong or held, key=lambda pair: (len(pair[1].claim.statements), _length(pair[0]))
    )
    verdict = judgement.verdict
    seen = f"{verdict.outcome.value}: {judgement.text} Why: {verdict.why}"
    picture = excerpt(result.ladders, verdict.evidence, ROWS_BEFORE, ROWS_BEHIND)
    return Card(
        CardSubject.STATEMENT,
        statement.id,
        statement.question,
        answer,
        seen,
        judgement.claim.source,
        picture,
        result.title,
    )


def _length(result: Result) -> int:
    return sum(
        len(timeline.crossings) + len(timeline.system_calls) for timeline in result.timelines
    )


def picture_of(cause: Cause, ladder: Ladder) -> Ladder | None:
    """A few rows around what shows a cause; None where the ladder has nothing of it."""
    return excerpt([ladder], cause.evidence, ROWS_BEFORE, ROWS_BEHIND)


def _of_causes(results: Sequence[Result]) -> Iterator[Card]:
    shown: dict[str, tuple[str, Ladder | None, str]] = {}
    for result in results:
        for timeline, ladder in zip(result.timelines, result.ladders, strict=True):
            for cause in find_causes(timeline):
                if cause.is_certain and cause.name not in shown:
                    picture = picture_of(cause, ladder)
                    shown[cause.name] = cause.text, picture, result.title
    for kind in CAUSE_KINDS.values():
        seen, picture, title = shown.get(kind.name, ("", None, ""))
        yield Card(
            CardSubject.CAUSE,
            kind.name,
            kind.question,
            kind.means,
            seen,
            kind.source,
            picture,
            title,
        )
