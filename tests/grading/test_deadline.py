from __future__ import annotations

import signal
import threading

import pytest
from tried import SHEET

from lab.errors import printable
from lab.grade.judging import OutOfTime, SheetOutOfTime, call_of_sheet, judge_trials
from lab.grading.deadline import deadline


def spin() -> None:
    while True:
        pass


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(OutOfTime), deadline(0.02):
        spin()


def test_it_is_raised_again_where_it_was_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.grading.deadline.AGAIN_S", 0.02)
    swallowed = 0
    with pytest.raises(OutOfTime), deadline(0.02):
        try:
            spin()
        except BaseException:
            swallowed += 1
        spin()
    assert swallowed == 1


def test_no_handler_of_exceptions_takes_it() -> None:
    with pytest.raises(OutOfTime), deadline(0.02):
        try:
            spin()
        except Exception:
            pytest.fail("it is no Exception")


def test_what_is_over_in_time_leaves_nothing_behind() -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    with deadline(60):
        assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_wait_that_takes_too_long_is_ended_as_well() -> None:
    with pytest.raises(OutOfTime), deadline(60, 0.02):
        threading.Event().wait()


def test_a_function_of_a_sheet_that_goes_on_by_itself_is_the_sheets_fault() -> None:
    with pytest.raises(SheetOutOfTime), deadline(0.05):
        call_of_sheet(spin)


def test_one_that_asks_the_lab_again_and_again_is_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def asks_for_ever() -> None:
        while True:
            printable("x" * 1000)

    monkeypatch.setattr("lab.grading.deadline.AGAIN_S", 0.05)
    with pytest.raises(SheetOutOfTime), deadline(0.05):
        call_of_sheet(asks_for_ever)


def test_one_whose_single_question_takes_too_long_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def asks_once() -> None:
        judge_trials(SHEET, lambda trial: spin())  # type: ignore[arg-type,return-value]

    monkeypatch.setattr("lab.grading.deadline.AGAIN_S", 0.05)
    with pytest.raises(OutOfTime), deadline(0.05):
        call_of_sheet(asks_once)
