from __future__ import annotations

import os
import signal

import pytest
from session_answers import Answers

from lab.cli.prompt.front import run_front
from lab.cli.prompt.interrupts import Interrupts
from lab.kernel.session.requests import Ended, Written
from lab.model.program import Program

PROGRAM = Program("h1", "h1", ("a",))


def test_what_it_writes_is_shown_where_it_was_written(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    answers = Answers(Written(b"\xffa", False), Written(b"b\n", True), Ended(2))
    with Interrupts() as interrupts:
        assert run_front(answers, PROGRAM, interrupts) == Ended(2)  # type: ignore[arg-type]
    assert capfdbinary.readouterr() == (b"\xffa", b"b\n")
    assert answers.asked == ["go on", "go on"]


def test_ctrl_c_goes_to_the_program_whose_end_is_waited_for() -> None:
    answers = Answers(Ended(130))
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            run_front(answers, PROGRAM, interrupts)  # type: ignore[arg-type]
    assert answers.asked == ["interrupt"]
