from __future__ import annotations

import io
import os
import signal

import pytest

from lab.cli.prompt.interrupts import Interrupts
from lab.cli.prompt.lines import scripted


def test_lines_that_were_given_are_shown_as_if_typed(capsys: pytest.CaptureFixture[str]) -> None:
    with Interrupts() as interrupts:
        lines = scripted(["hosts", "quit"], interrupts)
        assert next(lines) == "hosts"
        assert capsys.readouterr().out == "wirelab> hosts\n"
        assert [*lines] == ["quit"]


def test_a_script_is_read_a_line_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a b\n\nc"))
    with Interrupts() as interrupts:
        assert [*scripted([], interrupts)] == ["a b", "", "c"]


def test_ctrl_c_between_two_lines_ends_the_script() -> None:
    with Interrupts() as interrupts:
        lines = scripted(["a", "b"], interrupts)
        next(lines)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            next(lines)
