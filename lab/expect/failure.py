"""What is raised where an expectation is not met."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from lab.expect.expectation import Expectation
    from lab.model.claim import Verdict


class ExpectationFailed(AssertionError):
    """Something is not as it was expected; the message says what, where and why."""

    def __init__(self, text: str, expectation: Expectation, verdict: Verdict) -> None:
        super().__init__(text)
        self.expectation = expectation
        self.verdict = verdict


class ExpectationUndecided(ExpectationFailed):
    """What was seen does not decide it: it is not met either."""
