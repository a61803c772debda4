"""What became of a sheet's checks on what one student handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.frozen import frozen
from lab.grade.sheet import total
from lab.model.claim import Contrast, Outcome

if TYPE_CHECKING:
    from lab.grade.sheet import Check


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

    @property
    def score(self) -> float:
        """The points of the checks that it passed."""
        return total(mark.score for mark in self.marks)

    @property
    def max_score(self) -> float:
        """Those of all."""
        return total(mark.check.points for mark in self.marks)
