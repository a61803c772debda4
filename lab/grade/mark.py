"""What became of a sheet's checks on what one student handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.frozen import frozen
from lab.grade.check import total
from lab.model.claim import Contrast, Outcome
from lab.records import CellRun

if TYPE_CHECKING:
    from lab.grade.check import Check


@frozen
class Hint:
    """What a student reads where a check does not pass."""

    text: str
    misconception: str = ""
    """The name of the one that shows; "" where it is the check's own hint."""
    evidence: str = ""
    """What it was seen by; "" where that is not said."""
    source: str = ""
    """Where to read on."""


@frozen
class Mark:
    """One check of it."""

    check: Check
    outcome: Outcome
    """HOLDS, BROKEN or UNDECIDED; only the first passes."""
    why: str
    text: str = ""
    """All that is to be said of a failure, in lines: expected and actual, the place. "" elsewhere.
    """
    compared: tuple[Contrast, ...] = ()
    is_sheets_fault: bool = False
    """Whether it is undecided because the check itself failed: the sheet has to be mended."""
    is_labs_fault: bool = False
    """Whether it is undecided because the lab could not do it, or could not see it."""
    was_tried: bool = True
    """Whether there was anything that the check could look at: it was built, and its trials made.
    """
    ended: tuple[str, ...] = ()
    """What ended the submission in its trials, a sentence each: a signal, a limit."""
    hints: tuple[Hint, ...] = ()
    """Of misconceptions that show; the check's own is not among them."""

    @property
    def passed(self) -> bool:
        """Whether it is as expected."""
        return self.outcome is Outcome.HOLDS

    @property
    def is_undecided(self) -> bool:
        """Whether what was handed in does not show it, either way."""
        return self.outcome is Outcome.UNDECIDED

    @property
    def score(self) -> float:
        """Its check's points, or 0."""
        return self.check.points if self.passed else 0

    @property
    def told(self) -> tuple[Hint, ...]:
        """The hints that its student is given: none where it passed or is not the student's doing.

        Those of misconceptions, or else the check's own.
        """
        if self.passed or self.is_sheets_fault or self.is_labs_fault:
            return ()
        own = (Hint(self.check.hint),) if self.check.hint and self.was_tried else ()
        return self.hints or own


@frozen
class Picture:
    """A drawing of what was seen."""

    title: str
    drawing: str = ""
    """An SVG element, whose texts are escaped."""
    text: str = ""
    """What programs wrote, in lines. Hostile text, of limited length."""
    notes: tuple[str, ...] = ()
    trial: str = ""
    """The name of the trial that it is of; "" of a capture that was handed in."""


@frozen
class Built:
    """How a program was built."""

    language: str
    """ "C"; "" where it is in none that it may be in."""
    has_failed: bool = False
    command: str = ""
    output: str = ""
    """What the compiler said, as it is. Hostile text, in lines, of limited length."""
    held: CellRun | None = None
    """How what built it was held, within which limits; None where nothing was to be built."""


@frozen
class Grade:
    """All of it."""

    student: str
    """The name of the file without its end, or its path where others have that name."""
    file: str
    """Its name."""
    marks: tuple[Mark, ...]
    """One for each check of the sheet, in its order."""
    refused: str = ""
    """Why nothing of it could be judged; "" where something could."""
    pictures: tuple[Picture, ...] = ()
    built: Built | None = None
    """None where a capture was handed in, or nothing could be built."""
    faults: tuple[str, ...] = ()
    """What failed in the sheet besides its checks, a line each: a misconception's function."""
    held: CellRun | None = None
    """How its program was held in the trials, and which limits were in force; None where nothing
    was tried."""
    late: str = ""
    """How much after the deadline it was written, for its teacher; "" where it was in time."""

    @property
    def score(self) -> float:
        """The points of the checks that it passed."""
        return total(mark.score for mark in self.marks)

    @property
    def max_score(self) -> float:
        """Those of all."""
        return total(mark.check.points for mark in self.marks)

    @property
    def misconceptions(self) -> tuple[str, ...]:
        """The names of those that hints were given for."""
        names = (hint.misconception for mark in self.marks for hint in mark.told)
        return tuple(dict.fromkeys(filter(None, names)))

    @property
    def is_sheets_fault(self) -> bool:
        """Whether the sheet itself failed on it: it is to be graded again once that is mended."""
        return bool(self.faults) or any(mark.is_sheets_fault for mark in self.marks)

    @property
    def is_labs_fault(self) -> bool:
        """Whether the lab could not do a part of it: it is to be graded again."""
        return any(mark.is_labs_fault for mark in self.marks)
