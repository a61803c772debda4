from __future__ import annotations

import os
import select
import signal

import pytest

from lab.cli.prompt.interrupts import Interrupts


def test_a_signal_is_noted_and_taken_once() -> None:
    with Interrupts() as interrupts:
        assert interrupts.take() == frozenset()
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGWINCH)
        assert select.select([interrupts], [], [], 0)[0]
        assert interrupts.take() == {signal.SIGINT, signal.SIGWINCH}
        assert interrupts.take() == frozenset()


def test_ctrl_c_raises_where_it_may() -> None:
    with Interrupts() as interrupts:
        with pytest.raises(KeyboardInterrupt), interrupts.raising():
            os.kill(os.getpid(), signal.SIGINT)
            pytest.fail("it was not raised")
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), interrupts.raising():
            pytest.fail("it had come before")
        assert interrupts.take() == frozenset()


def test_what_was_before_is_again_afterwards() -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGWINCH)]
    with Interrupts():
        pass
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGWINCH)] == before


def test_what_waits_for_a_line_looks_for_ctrl_c_now_and_then() -> None:
    with Interrupts() as interrupts:
        before = signal.getsignal(signal.SIGALRM)
        with interrupts.raising():
            assert 0 < signal.getitimer(signal.ITIMER_REAL)[1] <= 0.2
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        assert signal.getsignal(signal.SIGALRM) is before
