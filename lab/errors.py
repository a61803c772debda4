"""Every exception the lab raises.

A malformed packet or a broken claim is a value, not an exception. Each class carries
the process exit status its message ends in (`wirelab --help` lists them).
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from collections.abc import Iterable


class LabError(Exception):
    """Something the lab was asked to do and cannot do; the message is for a person.

    The message says what was attempted, on what, what happened and what to do.
    """

    exit_status = 3


class UsageError(LabError):
    """The person's or the scenario author's mistake: a wrong name, file or value."""

    exit_status = 2


class DoesNotFitError(UsageError):
    """The files that a program in a cell is to have take more than its limit of them."""


class PointedError(UsageError):
    """Something in a text that a person wrote is wrong, from `start` to `end` in it."""

    def __init__(self, where: str, what: str, text: str, start: int, end: int) -> None:
        super().__init__(where, what, text, start, end)
        self.text, self.start, self.end = text, start, end
        wrong = f"{text[start:end]!r}: " if end > start else ""
        self._said = f"{where}: {wrong}{what}"

    def __str__(self) -> str:
        return self._said


class CaptureFileError(UsageError):
    """A capture file or recording that cannot be read; says where in the file."""


class ProgramError(UsageError):
    """A program of the scenario failed: not found, exit status, deadline, never ready."""


class MachineError(LabError):
    """This machine lacks or forbids something.

    `refusal` is what, `advice` how to mend it, or ""; the message is both.
    """

    def __init__(self, refusal: str, advice: str = "") -> None:
        super().__init__(refusal, advice)
        self.refusal = refusal
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.refusal}; {self.advice}" if self.advice else self.refusal


class ExtraMissing(MachineError):
    """A package that one of wirelab's extras brings is not installed; names what installs it."""

    def __init__(self, needs: str, extra: str, otherwise: str = "") -> None:
        """`otherwise` is how to do without it, where that can be done."""
        from shlex import quote

        # By the interpreter's name: of a checkout it is that of .venv, whose wirelab has the
        # extra; a `pip` of elsewhere is another's, or refuses (PEP 668).
        line = f"{quote(sys.executable)} -m pip install 'wirelab[{extra}]'"
        advice = "; ".join(filter(None, (f"to mend: {line}", otherwise)))
        super().__init__(f"{needs}, which is not installed", advice)


class KernelRefused(MachineError):
    """A request to the kernel was refused, with the errno's name in the message."""


class InstrumentError(LabError):
    """The lab's own observation contradicts itself (a witness, a violated order)."""


def printable(text: str) -> str:
    """The text in one line, with what would act on a terminal escaped as in Python.

    That is every character that is not printable: ESC and other controls, the end of a line, marks
    that turn the direction of text, bytes of a file name that are no text.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def terminal_text(error: LabError) -> str:
    """What a terminal is shown of an error: one line; a fault of the lab's own, with its traceback.

    Of a fault in a text that somebody wrote, the text and a mark below its place. The message may
    quote names that others have given.
    """
    if isinstance(error, PointedError):
        before, wrong = error.text[: error.start], error.text[error.start : error.end]
        blank, mark = " " * len(printable(before)), "^" * max(1, len(printable(wrong)))
        return "\n".join((printable(str(error)), f"  {printable(error.text)}", f"  {blank}{mark}"))
    lines = str(error).split("\n") if isinstance(error, InstrumentError) else [str(error)]
    return "\n".join(map(printable, lines))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: "; did you mean 'tcp'?", or "" if none is near.

    Among those nearest, one comes first that differs by letters in another order: "tpc" is "tcp".
    """
    from difflib import get_close_matches

    lowered = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), lowered, n=3, cutoff=0.6)
    near.sort(key=lambda each: sorted(each) != sorted(word.lower()))
    return f"; did you mean {lowered[near[0]]!r}?" if near else ""
