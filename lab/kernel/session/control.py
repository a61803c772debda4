"""A session from outside: what its user's commands ask of it."""

from __future__ import annotations

from typing import Any

from lab.kernel.sandbox.sandbox import Conversation
from lab.kernel.session.requests import (
    AskJobs,
    AskSoFar,
    AskWireRules,
    Ended,
    EndSession,
    EndWireRules,
    GoOn,
    Interrupt,
    Job,
    NetworkReady,
    Resize,
    SetWireRule,
    StartFront,
    StartJob,
    Taken,
    TerminalSettings,
    Terminate,
    Typed,
    Written,
)
from lab.model.program import Program
from lab.records import Recording


class Control:
    """Asks a session that runs in a sandbox. All of it raises as Sandbox.call does."""

    def __init__(self, conversation: Conversation[Any]) -> None:
        self._conversation = conversation

    def wait_until_ready(self) -> None:
        """Wait until the network is there."""
        ready = self._conversation.next()
        assert isinstance(ready, NetworkReady)

    def fileno(self) -> int:
        """Readable when `next_of_front` need not wait."""
        return self._conversation.fileno()

    def start_front(self, program: Program, terminal: TerminalSettings | None) -> None:
        """Start a program at the front; `next_of_front` says what it writes, and its end."""
        self._conversation.ask(StartFront(program, terminal))

    def next_of_front(self) -> Written | Taken | Ended:
        """What the front program does next. After Written, `go_on` lets it write more."""
        said: Written | Taken | Ended = self._conversation.next()
        return said

    def go_on(self) -> None:
        """What was written last has been shown."""
        self._conversation.ask(GoOn())

    def type(self, data: bytes) -> None:
        """Type something at the front program's terminal. Taken is said once that has it."""
        self._conversation.ask(Typed(data))

    def resize(self, rows: int, columns: int) -> None:
        """Give the front program's terminal another size."""
        self._conversation.ask(Resize(rows, columns))

    def interrupt(self) -> None:
        """Send SIGINT to the front program."""
        self._conversation.ask(Interrupt())

    def start_job(self, program: Program) -> Job | Ended:
        """Start a program behind; Ended where it cannot be started."""
        self._conversation.ask(StartJob(program))
        said: Job | Ended = self._conversation.next()
        return said

    def jobs(self) -> tuple[Job, ...]:
        """All that were started behind, and what each has written since this was asked last."""
        self._conversation.ask(AskJobs())
        said: tuple[Job, ...] = self._conversation.next()
        return said

    def end_job(self, number: int) -> bool:
        """Send SIGTERM to a job; whether there was one of that number that ran."""
        self._conversation.ask(Terminate(number))
        return bool(self._conversation.next())

    def set_rule(self, text: str) -> str:
        """One more rule for a link's wire, from now on; what is wrong with it, "" for nothing."""
        self._conversation.ask(SetWireRule(text))
        return str(self._conversation.next())

    def stop_rules(self, way: str) -> int | str:
        """The rules of that way of a link end; how many, or what is wrong."""
        self._conversation.ask(EndWireRules(way))
        said: int | str = self._conversation.next()
        return said

    def rules(self) -> tuple[tuple[str, int], ...] | str:
        """The rules that hold, with how many frames each was about; or what is wrong."""
        self._conversation.ask(AskWireRules())
        said: tuple[tuple[str, int], ...] | str = self._conversation.next()
        return said

    def so_far(self) -> Recording | str:
        """What was observed until now, but for calls; or what is wrong."""
        self._conversation.ask(AskSoFar())
        said: Recording | str = self._conversation.next()
        return said

    def quit(self) -> None:
        """End all programs; then the call's result is the recording."""
        self._conversation.ask(EndSession())
