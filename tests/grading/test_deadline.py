from __future__ import annotations

import signal

import pytest

from lab.grade.judging import OutOfTime
from lab.grading.deadline import cpu_deadline


def spin() -> None:
    while True:
        pass


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(OutOfTime), cpu_deadline(0.05):
        spin()


def test_it_is_raised_again_where_it_was_swallowed() -> None:
    swallowed = 0
    with pytest.raises(OutOfTime), cpu_deadline(0.05):
        try:
            spin()
        except BaseException:
            swallowed += 1
        spin()
    assert swallowed == 1


def test_no_handler_of_exceptions_takes_it() -> None:
    with pytest.raises(OutOfTime), cpu_deadline(0.05):
        try:
            spin()
        except Exception:
            pytest.fail("it is no Exception")


def test_what_is_over_in_time_leaves_nothing_behind() -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    with cpu_deadline(60):
        assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)
    assert signal.getsignal(signal.SIGVTALRM) is before
