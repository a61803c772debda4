"""One check of a sheet: what it expects, what it is worth, and who sees it when."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from lab.errors import UsageError, did_you_mean
from lab.frozen import frozen
from lab.grade.trial import NAME, Trial, sentence_of, trials_of

if TYPE_CHECKING:
    from lab.expect.expectation import Expectation

MOST_POINTS = 10_000
"""Of one check."""

COLUMNS = ("student", "file", "score", "max_score", "remarks")
"""Of results.csv, besides those of the checks."""


class Visibility(enum.Enum):
    """When students see a check, by Gradescope's words for it.

    Source: https://gradescope-autograders.readthedocs.io/en/latest/specs/
    """

    VISIBLE = "visible"
    """At once."""
    HIDDEN = "hidden"
    """Never."""
    AFTER_DUE_DATE = "after_due_date"
    """Once the sheet's deadline is over."""
    AFTER_PUBLISHED = "after_published"
    """Once grades are published."""


@frozen
class Check:
    """One check of a sheet. Raises UsageError where it makes no sense."""

    name: str
    """ "opens": small letters, digits and hyphens."""
    points: float
    """What it is worth where it passes; else it is worth nothing."""
    expects: str | Callable[..., object]
    """In words, as `--expect` takes them; or a function that is given a Capture, of what was handed
    in, or a Seen for each of its trials, and expects something of it (docs/expect.md). Its
    docstring's first line is the sentence."""
    hint: str = ""
    """What a student reads where it does not pass."""
    visibility: Visibility | str = Visibility.VISIBLE
    of: Trial | Sequence[Trial] = ()
    """The trials that it looks at; none in a sheet for captures."""
    about: str | Sequence[str] = ()
    """The names of those starts of what was handed in that it is about, where a trial has several:
    that another one never listened does not matter to it. All of them, unless some are named."""

    def __post_init__(self) -> None:
        if self.name in COLUMNS:
            raise UsageError(f"a check is called {self.name!r}, as a column of results.csv is")
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise UsageError(
                f"a check is called {self.name!r}: its name has small letters, digits and hyphens"
            )
        if not _is_points(self.points):
            raise UsageError(
                f"the check {self.name!r} is worth {self.points!r}: points are a number above 0, "
                f"{MOST_POINTS:,} at most"
            )
        if not isinstance(self.hint, str):
            raise UsageError(f"the hint of the check {self.name!r} is no text: {self.hint!r}")
        if self.visibility not in {*Visibility, *(each.value for each in Visibility)}:
            known = [each.value for each in Visibility]
            near = did_you_mean(str(self.visibility), known)
            raise UsageError(
                f"the visibility of the check {self.name!r} is {self.visibility!r}: it is one of "
                f"{', '.join(known)}{near}"
            )
        if isinstance(self.expects, str):
            _in_words(self.expects)
        elif not callable(self.expects):
            raise UsageError(
                f"the check {self.name!r} expects {self.expects!r}: write words, as `wirelab "
                "expect` lists them, or a function"
            )
        elif not sentence_of(self.expects):
            raise UsageError(
                f"the function of the check {self.name!r} has no docstring; its first line is the "
                "sentence that students read"
            )
        if any(not isinstance(each, str) or not each for each in self.starts):
            raise UsageError(
                f"the check {self.name!r} has about={self.about!r}: give the name of a start, or "
                "several in a tuple"
            )
        if isinstance(self.expects, str) and len(self.trials) > 1:
            raise UsageError(
                f"the check {self.name!r} is in words and of several trials: words are of one run"
            )

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials that it looks at."""
        return trials_of(f"the check {self.name!r}", self.of)

    @property
    def starts(self) -> tuple[str, ...]:
        """The names of those starts of what was handed in that it is about; none: of all."""
        return (self.about,) if isinstance(self.about, str) else (*self.about,)

    @property
    def sentence(self) -> str:
        """What is expected, as a student reads it."""
        if isinstance(self.expects, str):
            return _in_words(self.expects).sentence
        return sentence_of(self.expects)

    @property
    def source(self) -> str:
        """Where the words of the sentence are defined; "" if unknown."""
        return _in_words(self.expects).source if isinstance(self.expects, str) else ""

    @property
    def seen(self) -> Visibility:
        """When students see it."""
        return Visibility(self.visibility)


def total(points: Iterable[float]) -> float:
    """Their sum, in which no tenth is lost: whole where it is a whole number."""
    exact = math.fsum(points)
    near = round(exact, 6)
    return int(near) if near == int(near) else near


def _in_words(text: str) -> Expectation:
    # Imported late: every scenario imports lab.api, and few are sheets.
    from lab.expect.words import parse_expectation

    return parse_expectation(text)


def _is_points(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value <= MOST_POINTS  # type: ignore[operator]
