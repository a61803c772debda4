"""A stepped run from outside: updates come, decisions are sent."""

from __future__ import annotations

from typing import Any

from lab.kernel.links.holding import Decide, Deliver, HoldAgain, PassUntil, Undo
from lab.kernel.sandbox.sandbox import Conversation
from lab.kernel.stepping.updates import Answered, Bye, Finish, Over, Update, UpdateSeen
from lab.wire.rule import Term


class StepControl:
    """Asks a stepped run in a sandbox. All of it raises as Sandbox.call does."""

    def __init__(self, conversation: Conversation[Any]) -> None:
        self._conversation = conversation
        self.is_over = False
        """Whether the run needs nobody any more."""

    def fileno(self) -> int:
        """Readable when `next` need not wait."""
        return self._conversation.fileno()

    def next(self) -> Update | Answered | Over:
        """What the run says next. After an Update, `seen` lets it say the next."""
        said: Update | Answered | Over = self._conversation.next()
        if isinstance(said, Over):
            self.is_over = True
            self._conversation.ask(Bye())
        return said

    def seen(self) -> None:
        """The last update was seen."""
        self._ask(UpdateSeen())

    def deliver(self, number: int) -> None:
        """Let that frame go on. Answered is said."""
        self._ask(Deliver(number))

    def decide(self, number: int, words: str) -> None:
        """Do that to a frame, in the words of a rule's action. Answered is said."""
        self._ask(Decide(number, words))

    def undo(self, number: int) -> None:
        """Undo what was done to that frame last. Answered is said."""
        self._ask(Undo(number))

    def pass_until(self, *terms: Term) -> None:
        """Let frames go on until one of these kinds comes. Answered is said."""
        self._ask(PassUntil(frozenset(terms)))

    def hold_again(self) -> None:
        """Have frames wait again. Answered is said."""
        self._ask(HoldAgain())

    def finish(self, *, drops: bool) -> None:
        """Open the gates for good; what waits is dropped, or goes on."""
        self._ask(Finish(drops))

    def _ask(self, request: object) -> None:
        """Ask it, unless the run needs nobody any more."""
        if not self.is_over:
            self._conversation.ask(request)
