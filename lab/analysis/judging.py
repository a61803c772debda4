"""Claims judged by the timelines of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lab.errors import LabError, UsageError
from lab.model.claim import Claim, Judgement, Outcome, Verdict, first_of, undecided
from lab.model.event import EventKind
from lab.model.family import Family

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline


def judge(claims: Iterable[Claim], timelines: Sequence[Timeline]) -> tuple[Judgement, ...]:
    """Each claim with its verdict on a run's timelines, one for each step.

    Where a capture is incomplete nothing is decided, whatever the frames that it did see
    suggest, nor is a claim skipped because nothing was seen that it is about: what is missing
    may have been there. Where frames were only cut behind their headers, as was asked, claims that
    go by headers are decided. Nor is anything where a program failed,
    but by claims that allow for it: what it did not do shows nothing. Nor is it by calls of which
    two instruments, a program's output and the tracer, say different things, where one of the
    claims says that they say the same.
    Raises UsageError for a check that fails itself, with the line.
    """
    by_step = {timeline.step: timeline for timeline in timelines}
    judgements: list[Judgement] = []
    claims = tuple(claims)
    # Of other scenarios' programs nobody says that they print calls as the kernel has them.
    are_compared = any(claim.weighs_instruments for claim in claims)
    for claim in claims:
        concerned = [by_step[step] for step in claim.step_names] or timelines[:1]
        incomplete = dict.fromkeys(reason for t in concerned for reason in t.bracket.incomplete)
        cut = {reason for t in concerned for reason in t.bracket.cut}
        if claim.by_headers and incomplete.keys() <= cut:
            incomplete = {}
        failures = () if claim.despite_failures else [f for t in concerned for f in t.failures]
        doubts = [f"incomplete capture: {first_of([*incomplete])}"] if incomplete else [*failures]
        try:
            verdict = _asked(claim, concerned)
        except UsageError:
            # A check may count on what a program that failed, or a lost frame, should have done.
            if not doubts:
                raise
            verdict = undecided(first_of(doubts))
        rests_on_doubts = verdict.outcome in (Outcome.HOLDS, Outcome.BROKEN) or verdict.is_observed
        if doubts and rests_on_doubts:
            verdict = Verdict(Outcome.UNDECIDED, "; ".join(doubts), verdict.evidence)
        if (
            are_compared
            and not claim.weighs_instruments
            and (why := _contradiction(verdict, concerned))
        ):
            verdict = Verdict(Outcome.UNDECIDED, why, verdict.evidence)
        over_ipv6 = timelines[0].recording.family is Family.IPV6
        text = claim.ipv6_text if over_ipv6 and claim.ipv6_text else claim.text
        judgements.append(Judgement(claim, verdict, text))
    return tuple(judgements)


def _asked(claim: Claim, timelines: Sequence[Timeline]) -> Verdict:
    """The verdict of the claim's check on its steps. Raises UsageError if it returns none."""
    file, line = claim.place
    try:
        verdict = claim(*timelines)
    except Exception as error:
        # Whatever its author's code may raise. What it calls is seldom to blame: the line is that
        # of the check's own file.
        traceback = error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == file:
                line = traceback.tb_lineno
            traceback = traceback.tb_next
        what = str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {error}"
        raise UsageError(f"the check of {claim.id} fails at {file}, line {line}: {what}") from error
    if not isinstance(verdict, Verdict):
        raise UsageError(f"the check of {claim.id} ({file}, line {line}) returns {verdict!r}")
    return verdict


def _contradiction(verdict: Verdict, timelines: Sequence[Timeline]) -> str:
    """What two instruments say differently of calls that a verdict rests on; "" if nothing."""
    if verdict.outcome not in (Outcome.HOLDS, Outcome.BROKEN):
        return ""
    is_broken = verdict.outcome is Outcome.BROKEN
    rested_on = {(event.program, event.kind) for event in verdict.evidence}
    is_by_print = not rested_on or any(kind is EventKind.PRINTED_CALL for _, kind in rested_on)
    for agreement in (each for t in timelines for each in t.agreements.values()):
        is_printed = (agreement.program, EventKind.PRINTED_CALL) in rested_on
        is_traced = (agreement.program, EventKind.SYSTEM_CALL) in rested_on or not rested_on
        if agreement.untraced and (is_printed or (is_traced and agreement.prints_its_calls)):
            return agreement.why_untraced()
        # A claim that holds by what was printed holds whatever was not. One that is broken may be
        # so for what was not, which leaves no evidence.
        if is_broken and is_by_print and agreement.unprinted:
            return agreement.why_unprinted()
    return ""


def overall(judgements: Iterable[Judgement]) -> Outcome:
    """The worst outcome: BROKEN before UNDECIDED before HOLDS; skipped claims hold."""
    outcomes = {judgement.verdict.outcome for judgement in judgements}
    for outcome in (Outcome.BROKEN, Outcome.UNDECIDED):
        if outcome in outcomes:
            return outcome
    return Outcome.HOLDS
