"""One expectation, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from lab.frozen import frozen
from lab.model.claim import Contrast, Outcome, Verdict, first_of, undecided

if TYPE_CHECKING:
    from lab.expect.subject import Subject
    from lab.model.event import EventId


@frozen
class Expectation:
    """Something that ought to be true of a run or a capture file."""

    name: str
    """ "no-reset"; with its bound where it has one, "round-trips<=2"."""
    sentence: str
    """What is expected: "No TCP connection is reset."."""
    source: str
    """Where its words are defined: RFC section or man page."""
    check: Callable[[Sequence[Subject]], Verdict]
    """Called with the steps of a run, or the one subject of a file."""
    needs_capture: bool = True
    """Whether it is decided by frames, or by their absence."""

    def found(self, subjects: Sequence[Subject]) -> Verdict:
        """What becomes of it. UNDECIDED where the capture has gaps, whatever was seen."""
        doubts = tuple(dict.fromkeys(doubt for subject in subjects for doubt in subject.doubts))
        if self.needs_capture and doubts:
            return undecided(f"incomplete capture: {first_of(doubts)}")
        return self.check(subjects)


def met(why: str, evidence: Iterable[EventId] = ()) -> Verdict:
    """It is as expected; without evidence, by what is no event."""
    shown = tuple(evidence)
    return Verdict(Outcome.HOLDS, why, shown, is_observed=not shown)


def unmet(why: str, compared: Iterable[Contrast], evidence: Iterable[EventId] = ()) -> Verdict:
    """It is not as expected."""
    return Verdict(Outcome.BROKEN, why, tuple(evidence), compared=tuple(compared))


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The worst of them, BROKEN before UNDECIDED; where all hold, with the evidence of all."""
    for outcome in (Outcome.BROKEN, Outcome.UNDECIDED):
        for verdict in verdicts:
            if verdict.outcome is outcome:
                return verdict
    evidence = (event for verdict in verdicts for event in verdict.evidence)
    return met(first_of([*dict.fromkeys(verdict.why for verdict in verdicts)]), evidence)
