"""What was seen in a trial of one submission."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.grade.trial import Trial
    from lab.records import ProgramRun
    from lab.results import Result


class Blame(enum.Enum):
    """Whose fault it is that a trial did not come to its end."""

    SUBMISSION = "submission"
    """It scores nothing."""
    SHEET = "sheet"
    """A function of the teacher's failed itself: undecided, and to be mended."""
    LAB = "lab"
    """The lab could not see or do it, on a busy machine say: undecided, and to be graded again."""


@frozen
class TrialFailure:
    """Why a trial did not come to its end."""

    blame: Blame
    why: str
    """In a line."""
    text: str = ""
    """More of it, in lines."""


class NothingSeen(Exception):
    """A trial that failed has nothing of what was asked for."""


class Seen:
    """What a check or a misconception looks at: one trial of what one student handed in."""

    def __init__(
        self,
        trial: Trial,
        run: Result | None,
        value: object = None,
        failure: TrialFailure | None = None,
        *,
        programs: tuple[str, ...] = ("server",),
        unreached: Mapping[str, str] = MappingProxyType({}),
        unmatched: tuple[str, ...] = (),
    ) -> None:
        self.trial = trial
        self.failed = failure
        """None where it came to its end; checks are given no other."""
        self.unreached = unreached
        """Why, by its name, of each start of the submission that was waited for in vain: it never
        came to listen, or to bind a UDP socket."""
        self.unmatched = unmatched
        """The wire's rules that struck no frame, a sentence each: what they do did not happen."""
        self._run = run
        self._value = value
        self._submissions = programs
        self._is_read = False
        self._before = len(run.expected) if run else 0

    @property
    def failure(self) -> str:
        """Why the trial failed; "" where it came to its end."""
        return self.failed.why if self.failed else ""

    @property
    def refused(self) -> bool:
        """Whether the submission, or one start of it, never came to be reached."""
        return bool(self.unreached)

    @property
    def has_run(self) -> bool:
        """Whether there is a run at all."""
        return self._run is not None

    @property
    def run(self) -> Result:
        """The run, of which something can be expected (docs/expect.md). Raises NothingSeen."""
        if self._run is None:
            raise NothingSeen(f"the trial {self.trial.name!r} has no run: {self.failure}")
        return self._run

    @property
    def value(self) -> object:
        """What the trial's function returned. Raises NothingSeen where it did not."""
        self._is_read = True
        if self.failed:
            raise NothingSeen(f"the trial {self.trial.name!r} returned nothing: {self.failure}")
        return self._value

    def program(self, name: str = "") -> ProgramRun:
        """A program of the run by its name, the submission if none is given: output and end.

        Raises NothingSeen, UsageError.
        """
        self._is_read = True
        return self._named(name or self._submissions[0])

    @property
    def starts(self) -> tuple[str, ...]:
        """The names of the programs that are the submission."""
        return self._submissions

    @property
    def submissions(self) -> list[ProgramRun]:
        """The programs that are the submission; none where there is no run."""
        programs = self._programs() if self._run else []
        return [each for each in programs if each.name in self._submissions]

    @property
    def has_been_asked(self) -> bool:
        """Whether anything was expected of it, or read, since `forget`."""
        return self._is_read or (self._run is not None and len(self._run.expected) > self._before)

    def forget(self) -> None:
        """Begin to notice anew whether anything is expected."""
        self._is_read = False
        self._before = len(self._run.expected) if self._run else 0

    def _named(self, name: str) -> ProgramRun:
        programs = self._programs()
        for each in programs:
            if each.name == name:
                return each
        names = ", ".join(each.name for each in programs)
        raise UsageError(f"the trial {self.trial.name!r} has no program {name!r}; it has {names}")

    def _programs(self) -> list[ProgramRun]:
        return [each for timeline in self.run.timelines for each in timeline.programs]
