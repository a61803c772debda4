"""A test's own function as a program: it runs in a host's namespaces, and its value comes back."""

from __future__ import annotations

import ast
import inspect
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import UsageError

if TYPE_CHECKING:
    from lab.records import ProgramRun

CALLER = Path(__file__).with_name("call.py")
"""What calls it inside."""

END_OF_PATH = "--"
MARK = "\x1ewirelab "
"""What the line begins with that has the value or the exception, the last on standard output."""


class FunctionFailed(AssertionError):
    """A function of a test raised an exception on its host; the message has its traceback."""

    def __init__(self, text: str, *, said: str = "", is_mistaken: bool = False) -> None:
        super().__init__(text)
        self.said = said or text
        """The exception in a line."""
        self.is_mistaken = is_mistaken
        """Whether it is no OSError, EOFError or AssertionError, which tell of what it met."""


class Called:
    """A function that runs, or ran, on a host."""

    def __init__(self, name: str, function: Callable[..., object]) -> None:
        self.name = name
        """The program's, by which a result has its calls."""
        self.is_read = False
        """Whether the test has asked for its value."""
        self._function = function
        self._run: ProgramRun | None = None

    @property
    def value(self) -> object:
        """What it returned: numbers, texts, bytes, and tuples, lists, sets, dicts of them.

        Raises FunctionFailed where it raised, and UsageError where it has not run or returned
        something else.
        """
        __tracebackhide__ = True
        self.is_read = True
        if self._run is None:
            raise UsageError(f"{self._function.__name__} has not run yet: call lab.run() first")
        kind, text = self._told()
        if kind == "raised":
            raise FunctionFailed(text, said=self.said, is_mistaken=self.is_mistaken)
        if kind != "returned":
            said = f"{self._function.__name__} did not come to its end: {text}"
            raise FunctionFailed(said, is_mistaken=self.is_mistaken)
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise UsageError(
                f"{self._function.__name__} returned {text[:80]}, which is no plain value: return "
                "numbers, texts, bytes, or tuples, lists, sets and dicts of them"
            ) from None

    def ended(self, run: ProgramRun) -> str:
        """Take the program's end. The traceback, where the function raised; else ""."""
        self._run = run
        kind, text = self._told()
        return text if kind == "raised" else ""

    @property
    def is_mistaken(self) -> bool:
        """Whether it raised what is no OSError, EOFError or AssertionError: its own mistake.

        Or it did not come to its end, though it was started: it goes on for ever, or has died. What
        it met is no reason for that: it can wait for a time, and say what it saw.
        """
        if self._run is None:
            return False
        told = self._last()
        if not told:
            return self._run.ended_ns > self._run.started_ns
        return told.get("has_met") is False

    @property
    def said(self) -> str:
        """The exception that it raised, in a line; "" where it raised none."""
        return "" if self._run is None else str(self._last().get("said", ""))

    def _told(self) -> tuple[str, str]:
        """ "returned" and the value's repr, "raised" and the traceback, or "" and what is known."""
        assert self._run is not None, "asked for when it has ended"
        run, told = self._run, self._last()
        if told.get("kind") in ("returned", "raised"):
            return str(told["kind"]), str(told.get("text"))
        return "", run.failure or run.stderr.strip() or f"exit status {run.exit_status}"

    def _last(self) -> dict[str, object]:
        """What its last line says; nothing where it has none."""
        assert self._run is not None, "asked for when it has ended"
        _, mark, line = self._run.stdout.rpartition(MARK)
        try:
            told = json.loads(line) if mark else {}
        except ValueError:
            told = {}
        return told if isinstance(told, dict) else {}


def words_of(
    function: Callable[..., object], arguments: Sequence[object], cpu_s: float = 0.0
) -> tuple[str, ...]:
    """The command that calls the function with these arguments, texts and other plain values.

    It may take so much of the processor's time, or any if that is 0.
    Raises UsageError for a function that is not at a module's top level, and for other values.
    """
    name = getattr(function, "__qualname__", repr(function))
    if not inspect.isfunction(function) or "<" in name or "." in name:
        raise UsageError(
            f"{name} runs in a process of its own, which imports it: it must be a function at the "
            "top level of its file"
        )
    # Each folder is a word of its own: what a command names by its path, it can see.
    path = [os.path.abspath(each) for each in sys.path if each]  # noqa: PTH100  as a text
    given = [_as_word(name, argument) for argument in arguments]
    file = function.__code__.co_filename
    return ("{python}", str(CALLER), MARK, str(cpu_s), file, name, *path, END_OF_PATH, *given)


def _as_word(name: str, argument: object) -> str:
    if isinstance(argument, str):
        return f"text {argument}"
    text = repr(argument)
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        raise UsageError(
            f"{name} is called with {text[:80]}, which is no plain value: give numbers, texts, "
            "bytes, or tuples, lists, sets and dicts of them"
        ) from None
    return f"value {text}"
