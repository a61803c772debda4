"""In the place of a session's Control: what it answers was written down before."""

from __future__ import annotations

import os
from typing import Any

from lab.model.program import Program


class Answers:
    """Answers what was given, in turn; always readable."""

    def __init__(self, *answers: object) -> None:
        self._answers = list(answers)
        self._null = open(os.devnull)  # noqa: PTH123, SIM115  to be polled until the test is over
        self.started: list[Program] = []
        self.asked: list[str] = []

    def fileno(self) -> int:
        return self._null.fileno()

    def start_front(self, program: Program, _terminal: object) -> None:
        self.started.append(program)

    def start_job(self, program: Program) -> Any:
        self.started.append(program)
        return self._next()

    def next_of_front(self) -> Any:
        return self._next()

    def go_on(self) -> None:
        self.asked.append("go on")

    def interrupt(self) -> None:
        self.asked.append("interrupt")

    def jobs(self) -> Any:
        return self._next()

    def end_job(self, _number: int) -> Any:
        return self._next()

    def set_rule(self, _text: str) -> Any:
        return self._next()

    def stop_rules(self, _way: str) -> Any:
        return self._next()

    def rules(self) -> Any:
        return self._next()

    def so_far(self) -> Any:
        return self._next()

    def _next(self) -> Any:
        return self._answers.pop(0)
