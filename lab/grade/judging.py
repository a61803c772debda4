"""A sheet's checks, applied to what was handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.expect.failure import ExpectationFailed
from lab.expect.words import parse_expectation
from lab.grade.mark import Mark
from lab.model.claim import Outcome

if TYPE_CHECKING:
    from lab.expect.expectations import Expectations
    from lab.grade.sheet import Check, Sheet


class OutOfTime(BaseException):
    """What is looked at takes too long. No Exception, which dissectors catch."""


EXPECTS_NOTHING = "the check's function returned and had expected nothing, which proves nothing"


def judge_checks(sheet: Sheet, handed_in: Expectations) -> tuple[Mark, ...]:
    """A mark for each check; one that fails itself is UNDECIDED. Raises OutOfTime alone."""
    return tuple(_judge(check, handed_in) for check in sheet.checks)


def refuse_checks(sheet: Sheet, why: str) -> tuple[Mark, ...]:
    """The marks of what cannot be looked at."""
    return tuple(Mark(check, Outcome.UNDECIDED, why) for check in sheet.checks)


def _judge(check: Check, handed_in: Expectations) -> Mark:
    before = len(handed_in.expected)
    why = "all that it expects is so"
    try:
        if isinstance(check.expects, str):
            why = handed_in.expect(parse_expectation(check.expects)).why
        else:
            check.expects(handed_in)
    except ExpectationFailed as failure:
        verdict = failure.verdict
        return Mark(check, verdict.outcome, verdict.why, str(failure), verdict.compared)
    except AssertionError as failure:
        why = str(failure) or "an assert of the check's function failed, which says no more"
        return Mark(check, Outcome.BROKEN, why)
    except (OutOfTime, KeyboardInterrupt):
        raise
    except BaseException as error:
        # Whatever a teacher's function may raise, SystemExit and pytest's own too: the other checks
        # and students are not touched.
        why = f"the check failed itself: {type(error).__name__}: {error}"
        return Mark(check, Outcome.UNDECIDED, why, is_sheets_fault=True)
    if len(handed_in.expected) == before:
        return Mark(check, Outcome.UNDECIDED, EXPECTS_NOTHING, is_sheets_fault=True)
    return Mark(check, Outcome.HOLDS, why)
