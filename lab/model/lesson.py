"""What a scenario teaches: a question, and the claims whose evidence answers it."""

from __future__ import annotations

from lab.frozen import frozen
from lab.model.claim import Claim


@frozen
class Lesson:
    """A question that a run of the scenario answers."""

    question: str
    predict: str
    """What to predict before one looks."""
    look: str
    """Where in the ladder the answer is seen."""
    answer: str
    """A statement that is true if the claims hold; it is given only of a run in which they do."""
    claims: tuple[Claim, ...]
    """Those of the scenario's that decide it, by their checks: on whatever steps they are there."""
