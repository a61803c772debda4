"""Claims and verdicts, as plain values."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


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
