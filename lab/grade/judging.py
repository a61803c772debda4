"""A sheet's checks, applied to what was handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeAlias

from lab.expect.failure import ExpectationFailed, ExpectationUndecided
from lab.expect.words import parse_expectation
from lab.grade.mark import Mark
from lab.grade.seen import Blame, Seen
from lab.model.claim import Outcome

if TYPE_CHECKING:
    from lab.expect.expectations import Expectations
    from lab.grade.check import Check
    from lab.grade.sheet import Sheet
    from lab.grade.trial import Trial

TimeLimit: TypeAlias = Callable[[], AbstractContextManager[None]]
"""Ends a block that takes too long, by OutOfTime or SheetOutOfTime."""


class OutOfTime(BaseException):
    """What is looked at takes too long. No Exception, which dissectors catch."""


class SheetOutOfTime(BaseException):
    """A function of the sheet takes too long, whatever it is given."""


EXPECTS_NOTHING = "the check's function returned and had expected nothing, which proves nothing"


def judge_checks(
    sheet: Sheet, handed_in: Expectations, limit: TimeLimit = nullcontext
) -> tuple[Mark, ...]:
    """A mark for each check; one that fails itself is UNDECIDED. Raises OutOfTime alone."""
    return tuple(_judge(check, handed_in, limit) for check in sheet.checks)


def judge_trials(
    sheet: Sheet, look: Callable[[Trial], Seen], limit: TimeLimit = nullcontext
) -> tuple[Mark, ...]:
    """A mark for each check of a submission; `look` makes a trial, or has made it.

    Raises OutOfTime, and what `look` does.
    """
    return tuple(_judge_seen(check, [*map(look, check.trials)], limit) for check in sheet.checks)


def refuse_checks(sheet: Sheet, why: str) -> tuple[Mark, ...]:
    """The marks of what cannot be looked at."""
    return tuple(Mark(check, Outcome.UNDECIDED, why, was_tried=False) for check in sheet.checks)


def fail_checks(sheet: Sheet, why: str) -> tuple[Mark, ...]:
    """The marks of what is wrong before any check is made: it cannot be built, say."""
    return tuple(Mark(check, Outcome.BROKEN, why, was_tried=False) for check in sheet.checks)


def give_up_checks(sheet: Sheet, why: str) -> tuple[Mark, ...]:
    """The marks where the lab itself could not do it."""
    return tuple(
        Mark(check, Outcome.UNDECIDED, why, is_labs_fault=True, was_tried=False)
        for check in sheet.checks
    )


def call_of_sheet(function: Callable[..., object], *given: Any) -> object:  # noqa: ANN401
    """What a function of the sheet returns: below this frame the stack is the sheet's own."""
    return function(*given)


def said_of_error(error: BaseException) -> str:
    """An exception of a sheet's function, in a line."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _judge(check: Check, handed_in: Expectations, limit: TimeLimit) -> Mark:
    before = len(handed_in.expected)

    def ask() -> str:
        if isinstance(check.expects, str):
            return handed_in.expect(parse_expectation(check.expects)).why
        call_of_sheet(check.expects, handed_in)
        return ""

    return _asked(check, ask, lambda: len(handed_in.expected) > before, limit)


def _judge_seen(check: Check, seen: Sequence[Seen], limit: TimeLimit) -> Mark:
    for blame in (Blame.LAB, Blame.SHEET, Blame.SUBMISSION):
        for each in seen:
            if each.failed and each.failed.blame is blame:
                return Mark(
                    check,
                    Outcome.BROKEN if blame is Blame.SUBMISSION else Outcome.UNDECIDED,
                    each.failed.why,
                    each.failed.text,
                    is_sheets_fault=blame is Blame.SHEET,
                    is_labs_fault=blame is Blame.LAB,
                    was_tried=False,
                )
    known = {name for each in seen for name in each.starts}
    if unknown := [name for name in check.starts if name not in known]:
        why = (
            f"the check is about the start {unknown[0]!r}, and its trial has {', '.join(known)}: "
            "about= takes the names that bench.submission returns"
        )
        return Mark(check, Outcome.UNDECIDED, why, is_sheets_fault=True)
    for each in seen:
        for name, why in each.unreached.items():
            if not check.starts or name in check.starts:
                return Mark(check, Outcome.BROKEN, why, was_tried=False)
    for each in seen:
        each.forget()

    def ask() -> str:
        if isinstance(check.expects, str):
            return seen[0].run.expect(parse_expectation(check.expects)).why
        call_of_sheet(check.expects, *seen)
        return ""

    mark = _asked(check, ask, lambda: any(each.has_been_asked for each in seen), limit, seen)
    struck_nothing = [
        rule for each in seen if not each.trial.rules_may_miss for rule in each.unmatched
    ]
    if mark.passed and struck_nothing:
        why = (
            f"{struck_nothing[0]}: that fault did not happen, so this does not show what was asked"
        )
        return Mark(check, Outcome.UNDECIDED, why)
    return mark


def _asked(
    check: Check,
    ask: Callable[[], str],
    has_asked: Callable[[], bool],
    limit: TimeLimit,
    seen: Sequence[Seen] = (),
) -> Mark:
    try:
        with limit():
            why = ask()
    except ExpectationUndecided as failure:
        return _undecided(check, failure, seen)
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
        why = f"the check failed itself: {said_of_error(error)}"
        return Mark(check, Outcome.UNDECIDED, why, is_sheets_fault=True)
    if not has_asked():
        return Mark(check, Outcome.UNDECIDED, EXPECTS_NOTHING, is_sheets_fault=True)
    return Mark(check, Outcome.HOLDS, why or "all that it expects is so")


def _undecided(check: Check, failure: ExpectationUndecided, seen: Sequence[Seen]) -> Mark:
    """What was seen does not decide it. Of a trial that the lab saw whole, that has a reason."""
    verdict = failure.verdict
    mark = Mark(check, Outcome.UNDECIDED, verdict.why, str(failure), verdict.compared)
    if not seen:
        return mark
    if not failure.expectation.needs_capture and not any(each.trial.is_traced for each in seen):
        why = f"{verdict.why}; a trial is traced where it says so: @trial(trace='auto')"
        return Mark(check, Outcome.UNDECIDED, why, is_sheets_fault=True)
    # Nothing of the kind was there, and all that was there is known.
    return Mark(check, Outcome.BROKEN, verdict.why, compared=verdict.compared)
