"""What a control asks, and that it asks nothing of a run that needs nobody."""

from __future__ import annotations

from typing import Any

from lab.kernel.links.holding import Decide, Deliver, HoldAgain, PassUntil, Undo
from lab.kernel.stepping.control import StepControl
from lab.kernel.stepping.updates import Answered, Bye, Finish, Over, UpdateSeen
from lab.wire.rule import Term


class Talked:
    """A conversation with a run that says what a test wants."""

    def __init__(self, *said: object) -> None:
        self.asked: list[object] = []
        self._said = [*said]

    def ask(self, request: object) -> None:
        self.asked.append(request)

    def next(self) -> object:
        return self._said.pop(0)


def control(*said: object) -> tuple[StepControl, list[object]]:
    talked: Any = Talked(*said)
    return StepControl(talked), talked.asked


def test_each_decision_is_asked_for() -> None:
    one, asked = control()
    one.deliver(1)
    one.decide(2, "drop")
    one.undo(2)
    one.pass_until(Term.SYN, Term.FIN)
    one.hold_again()
    one.finish(drops=True)
    one.seen()
    assert asked == [
        Deliver(1),
        Decide(2, "drop"),
        Undo(2),
        PassUntil(frozenset({Term.SYN, Term.FIN})),
        HoldAgain(),
        Finish(True),
        UpdateSeen(),
    ]


def test_when_the_run_is_over_it_is_told_goodbye_and_asked_nothing_more() -> None:
    one, asked = control(Answered(""), Over())
    assert (one.next(), one.is_over) == (Answered(""), False)
    assert (one.next(), one.is_over) == (Over(), True)
    one.deliver(1)
    one.seen()
    assert asked == [Bye()]
