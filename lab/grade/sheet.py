"""A lab sheet: what is handed in, what it is checked for, and what beginners get wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from lab.errors import UsageError, did_you_mean
from lab.frozen import frozen
from lab.grade.check import Check, Visibility, total
from lab.grade.misconception import Misconception
from lab.grade.submission import Submission
from lab.grade.trial import Trial, each_once


@frozen
class Sheet:
    """A lab sheet. Raises UsageError where it makes no sense."""

    title: str
    handed_in: str
    """What students hand in, as a sentence."""
    checks: tuple[Check, ...]
    deadline: datetime | str | None = None
    """ "2026-12-01T23:59+01:00", or a datetime with a time zone. None: there is none."""
    submission: Submission | None = None
    """The program that is handed in; None where captures are."""
    misconceptions: tuple[Misconception, ...] = ()
    """What beginners get wrong, the most specific first."""

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
        if self.submission is not None and not isinstance(self.submission, Submission):
            raise UsageError(
                f"the sheet {self.title!r} has a submission that is no Submission: "
                f"{self.submission!r}"
            )
        for fault in self._wrong_trials(names):
            raise UsageError(f"the sheet {self.title!r} has {fault}")
        if self.due is None and any(
            check.seen is Visibility.AFTER_DUE_DATE for check in self.checks
        ):
            raise UsageError(
                f"the sheet {self.title!r} has a check that is seen after_due_date, and no deadline"
            )

    def _wrong_trials(self, checks: list[str]) -> Iterator[str]:
        """What is wrong with its trials and misconceptions."""
        for check in self.checks:
            if self.submission is None and check.trials:
                yield f"a check {check.name!r} of a trial, and no submission that could be tried"
            if self.submission is not None and not check.trials:
                yield f"a check {check.name!r} of no trial: say of which, of=(…)"
        for one in self.misconceptions:
            if not isinstance(one, Misconception):
                yield f"a misconception that is no Misconception: {one!r}"
                return
        if self.misconceptions and self.submission is None:
            yield "misconceptions, and no submission that could show them"
        names = [one.name for one in self.misconceptions]
        for one in self.misconceptions:
            if names.count(one.name) > 1:
                yield f"two misconceptions called {one.name!r}"
            for name in one.explains:
                if name not in checks:
                    near = did_you_mean(name, checks)
                    yield f"a misconception {one.name!r} of a check {name!r} that it has not{near}"
            for name in one.instead_of:
                if name not in names:
                    near = did_you_mean(name, names)
                    yield f"a misconception {one.name!r} instead of {name!r}, which is none{near}"
        every = self._every_trial()
        for trial in every:
            if any(other.name == trial.name and other is not trial for other in every):
                yield f"two trials called {trial.name!r}"

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Those of its checks, in their order, and those of its misconceptions."""
        return each_once(self._every_trial())

    def _every_trial(self) -> list[Trial]:
        found = [each for check in self.checks for each in check.trials]
        return found + [each for one in self.misconceptions for each in one.trials]

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
