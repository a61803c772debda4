"""Programs: as whom they ran, what they wrote, and what they did to the run."""

from __future__ import annotations

from lab.frozen import frozen
from lab.records.cell import CellRun


@frozen
class ProgramRun:
    """One program's life, and all it wrote."""

    name: str
    host: str
    argv: tuple[str, ...]
    started_ns: int
    ready_ns: int | None
    """When it signalled readiness; None where it had nothing to signal."""
    ended_ns: int
    exit_status: int
    """The exit status; -N where signal N ended it; 127 where it was never started."""
    stdout: str
    stderr: str
    step: str = ""
    """The scenario's step that it was part of."""
    failure: str = ""
    """What it did that a program should not, in one line: "was killed by SIGSEGV"."""
    remark: str = ""
    """What is to be said of its end that is no failure, in one line."""
    stopped_ns: int | None = None
    """When the lab began to end it: at its deadline, or when the others had ended. None where it
    ended by itself."""
    cell: CellRun | None = None
    """How it was held, of a program that nobody trusts; None of others."""
    stdout_bytes: bytes | None = None
    """What it wrote to standard output where that is no text in UTF-8, for which `stdout` looks
    like a text that has a \\xff in it; None where it is."""

    @property
    def output(self) -> bytes:
        """What it wrote to standard output, byte by byte."""
        return self.stdout.encode() if self.stdout_bytes is None else self.stdout_bytes


@frozen
class KeyLog:
    """What one program's TLS library wrote to the file that SSLKEYLOGFILE names. Hostile text.

    Source: RFC 9850, The SSLKEYLOGFILE Format for TLS.
    """

    program: str
    text: str
    """Whole lines, if there is more of it than is kept."""
    beyond: int = 0
    """Bytes that are not kept."""
    step: str = ""


@frozen
class Disturbance:
    """What programs have done to the run itself."""

    step: str
    """The step that they did it in."""
    programs: tuple[str, ...]
    """Those that may have done it, by what they are allowed and where they run; one at least."""
    what: str
    """What the lab could not do, or has found changed, in one line."""
    blinds: bool = True
    """Whether the lab could not observe all of the step for that."""

    def __str__(self) -> str:
        *others, last = self.programs
        who = f"one of the programs {', '.join(others)} and {last}" if others else f"program {last}"
        return f"{who} disturbed the run: {self.what}"


@frozen
class RanAs:
    """As whom a run's programs ran, and what they were allowed (docs/isolation.md)."""

    user: str
    """The user's name, or the uid where there is no such user."""
    uid: int
    capabilities: tuple[str, ...]
    """By their names in capabilities(7)."""
    writable: tuple[str, ...]
    """The folders of the host's that they could write to, as far as the user can."""
    sockets: tuple[str, ...]
    """The host's unix sockets that they were allowed by their paths."""
    host_files: bool
    """Whether they had all of the host's files as they are; then `writable` is empty."""


@frozen
class SourceLine:
    """A line of a program's source, as the program's own interpreter had it. Hostile text."""

    file: str
    """Its name, as the interpreter has it; "<string>" for a text that no file has."""
    number: int
    """From 1."""
    function: str
    """ "<module>" for what is in none."""
    through: str
    """What of the library it had called when the calls were made: "accept, socket.py:294"; "" if
    nothing."""
    first: int
    """The number of the first line of `text`."""
    text: tuple[str, ...]
    """The line and some around it, cut if long; empty where its file could not be read."""


@frozen
class LineUse:
    """A time during which what a thread of a program did was done for one line of its source.

    The interpreter noted it, and a program can note what it likes.
    """

    program: str
    tid: int
    """As the program itself has it."""
    line: int
    """Its place among the recording's source lines."""
    entry_ns: int
    exit_ns: int | None
    """None where it had not returned."""
    step: str = ""
