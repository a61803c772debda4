"""A lab sheet: what is handed in, what it is checked for, and what each check is worth."""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from inspect import getdoc
from typing import TYPE_CHECKING

from lab.errors import UsageError, did_you_mean
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.expect.expectation import Expectation

MOST_POINTS = 10_000
"""Of one check."""

COLUMNS = ("student", "file", "score", "max_score", "remarks")
"""Of results.csv, besides those of the checks."""
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


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
    in, and expects something of it (docs/expect.md). Its docstring's first line is the sentence."""
    hint: str = ""
    """What a student is told where it does not pass."""
    visibility: Visibility | str = Visibility.VISIBLE

    def __post_init__(self) -> None:
        if self.name in COLUMNS:
            raise UsageError(f"a check is called {self.name!r}, as a column of results.csv is")
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
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
        elif not _first_line(self.expects):
            raise UsageError(
                f"the function of the check {self.name!r} has no docstring; its first line is the "
                "sentence that students read"
            )

    @property
    def sentence(self) -> str:
        """What is expected, as a student reads it."""
        if isinstance(self.expects, str):
            return _in_words(self.expects).sentence
        return _first_line(self.expects)

    @property
    def source(self) -> str:
        """Where the words of the sentence are defined; "" where that is not known."""
        return _in_words(self.expects).source if isinstance(self.expects, str) else ""

    @property
    def seen(self) -> Visibility:
        """When students see it."""
        return Visibility(self.visibility)


@frozen
class Sheet:
    """A lab sheet. Raises UsageError where it makes no sense."""

    title: str
    handed_in: str
    """What students hand in, as a sentence."""
    checks: tuple[Check, ...]
    deadline: datetime | str | None = None
    """ "2026-12-01T23:59+01:00", or a datetime with a time zone. None: there is none."""

    def __post_init__(self) -> None:
        for what, text in (("title", self.title), ("handed_in", self.handed_in)):
            if not isinstance(text, str) or not text.strip():
                raise UsageError(f"the sheet's {what} is no text: {text!r}")
        if not isinstance(self.checks, tuple | list):
            raise UsageError(f"the sheet {self.title!r} has checks that are no tuple, nor a list")
        wrong = [each for each in self.checks if not isinstance(each, Check)]
        if wrong:
            raise UsageError(f"the sheet {self.title!r} has a check that is no Check: {wrong[0]!r}")
        if not self.checks:
            raise UsageError(f"the sheet {self.title!r} has no check, so there is nothing to score")
        names = [check.name for check in self.checks]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"the sheet {self.title!r} has two checks called {twice!r}")
        if self.due is None and any(
            check.seen is Visibility.AFTER_DUE_DATE for check in self.checks
        ):
            raise UsageError(
                f"the sheet {self.title!r} has a check that is seen after_due_date, and no deadline"
            )

    @property
    def due(self) -> datetime | None:
        """The deadline as a moment; None where there is none."""
        moment = self.deadline
        if isinstance(moment, str):
            try:
                moment = datetime.fromisoformat(moment)
            except ValueError as error:
                raise UsageError(
                    f"the sheet's deadline is no date and time: {error}; write "
                    "2026-12-01T23:59+01:00"
                ) from None
        if moment is not None and not isinstance(moment, datetime):
            raise UsageError(f"the sheet's deadline is no date and time: {moment!r}")
        if moment is not None and moment.utcoffset() is None:
            raise UsageError(
                "the sheet's deadline has no time zone: write it behind, 2026-12-01T23:59+01:00"
            )
        return moment

    @property
    def max_score(self) -> float:
        """The points of all checks."""
        return total(check.points for check in self.checks)

    def check(self, name: str) -> Check:
        """The check of that name. Raises UsageError."""
        for check in self.checks:
            if check.name == name:
                return check
        names = [check.name for check in self.checks]
        near = did_you_mean(name, names)
        raise UsageError(
            f"the sheet {self.title!r} has no check {name!r}{near}; it has {', '.join(names)}"
        )

    def shows(self, check: Check, now: datetime) -> bool:
        """Whether students may see a check at that moment, while grades are not published."""
        if check.seen is Visibility.AFTER_DUE_DATE:
            return self.due is not None and now > self.due
        return check.seen is Visibility.VISIBLE


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


def _first_line(function: Callable[..., object]) -> str:
    lines = (getdoc(function) or "").split("\n")
    return lines[0].strip()
