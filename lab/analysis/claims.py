"""Claims, and what a timeline makes of them."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.family import Family

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline


class Outcome(enum.Enum):
    """What became of a claim."""

    HOLDS = "HOLDS"
    BROKEN = "BROKEN"
    UNDECIDED = "UNDECIDED"
    """The instrument was blind."""
    SKIPPED = "SKIPPED"
    """The machine lacks what the claim is about."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome with its reason, and the ids of the events it rests on.

    A frame's event is "f" and its number, a call's the program's name and its number.
    """

    outcome: Outcome
    why: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement that a run decides."""

    id: str
    text: str
    """The statement, as a sentence."""
    source: str
    """Where it comes from: an RFC's section or a man page."""
    check: Callable[..., Verdict]
    """Called with a Timeline for each of `steps`."""
    statements: tuple[str, ...] = ()
    """Ids of the statements that it decides (lab/statements.py)."""
    ipv6_text: str = ""
    """The sentence over IPv6, where it is another."""
    steps: tuple[str, ...] = ()
    """Names of the scenario's steps that it is about; () is the first."""
    despite_failures: bool = False
    """Whether it is decided where a program of its steps failed: it tells what was seen, whatever
    the programs were to do."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A claim and its verdict on one run."""

    claim: Claim
    verdict: Verdict
    text: str
    """The claim's sentence, as it is for the run's IP version."""


def holds(why: str, evidence: Iterable[str] = ()) -> Verdict:
    """The claim turned out true."""
    return Verdict(Outcome.HOLDS, why, tuple(evidence))


def broken(why: str, evidence: Iterable[str] = ()) -> Verdict:
    """The claim turned out false."""
    return Verdict(Outcome.BROKEN, why, tuple(evidence))


def undecided(why: str, evidence: Iterable[str] = ()) -> Verdict:
    """What was seen does not tell."""
    return Verdict(Outcome.UNDECIDED, why, tuple(evidence))


def skipped(why: str, evidence: Iterable[str] = ()) -> Verdict:
    """The machine lacks what the claim is about; `why` names it."""
    return Verdict(Outcome.SKIPPED, why, tuple(evidence))


def frame_ids(numbers: Iterable[int]) -> tuple[str, ...]:
    """Crossing numbers as event ids."""
    return tuple(f"f{number}" for number in numbers)


def first_of(told: Sequence[str], most: int = 4) -> str:
    """The first of many sentences, and how many there are more."""
    more = f"; and {len(told) - most} more" if len(told) > most else ""
    return "; ".join(told[:most]) + more


def in_every_step(check: Callable[[Timeline], Verdict]) -> Callable[..., Verdict]:
    """A check of one step as a check of several: it holds where it holds in each of them."""

    def check_steps(*timelines: Timeline) -> Verdict:
        verdicts = [check(timeline) for timeline in timelines]
        for verdict in verdicts:
            if verdict.outcome is not Outcome.HOLDS:
                return verdict
        evidence = [event for verdict in verdicts for event in verdict.evidence]
        return holds("; ".join(dict.fromkeys(verdict.why for verdict in verdicts)), evidence)

    check_steps.__name__ = check.__name__
    return check_steps


def judge(claims: Iterable[Claim], timelines: Sequence[Timeline]) -> tuple[Judgement, ...]:
    """Each claim with its verdict on a run's timelines, one for each step.

    Where a capture was blind nothing is decided, whatever the frames that it did see
    suggest: what is missing from them may have been there. Nor is it where a program failed,
    but by claims that allow for it: what it did not do shows nothing.
    """
    by_step = {timeline.step: timeline for timeline in timelines}
    judgements: list[Judgement] = []
    for claim in claims:
        concerned = [by_step[step] for step in claim.steps] if claim.steps else timelines[:1]
        blind = dict.fromkeys(reason for t in concerned for reason in t.bracket.blind)
        failures = () if claim.despite_failures else [f for t in concerned for f in t.failures]
        verdict = claim.check(*concerned)
        doubts = [f"the capture was blind: {'; '.join(blind)}"] if blind else [*failures]
        if doubts and verdict.outcome in (Outcome.HOLDS, Outcome.BROKEN):
            verdict = Verdict(Outcome.UNDECIDED, "; ".join(doubts), verdict.evidence)
        over_ipv6 = timelines[0].recording.family is Family.IPV6
        text = claim.ipv6_text if over_ipv6 and claim.ipv6_text else claim.text
        judgements.append(Judgement(claim, verdict, text))
    return tuple(judgements)


def overall(judgements: Iterable[Judgement]) -> Outcome:
    """The worst outcome: BROKEN before UNDECIDED before HOLDS; skipped claims hold."""
    outcomes = {judgement.verdict.outcome for judgement in judgements}
    for outcome in (Outcome.BROKEN, Outcome.UNDECIDED):
        if outcome in outcomes:
            return outcome
    return Outcome.HOLDS
