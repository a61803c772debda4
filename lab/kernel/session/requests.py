"""What a session is asked for, and what it says: plain values between the two processes.

While a program is at the front, the session says what it writes, a piece at a time, and the next
one when it may GoOn; what is typed is sent a piece at a time too, the next one when that was Taken.
Neither side ever waits for the other to read, and a program that writes faster than it is shown
waits for its reader.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lab.model.program import Program


class TerminalSettings(NamedTuple):
    """A terminal as the program finds it. Source: termios(3), ioctl_tty(2)."""

    attributes: list[Any]
    """As termios.tcgetattr returns them."""
    rows: int
    columns: int


class StartFront(NamedTuple):
    """Start a program at the front. Written follows as often as it writes, then Ended."""

    program: Program
    terminal: TerminalSettings | None = None
    """The terminal that it shall have; None: it reads nothing, and writes to pipes."""


class StartJob(NamedTuple):
    """Start a program behind. A Job is said, or Ended where it could not be started."""

    program: Program


class GoOn(NamedTuple):
    """The last Written was shown; the next may follow."""


class Typed(NamedTuple):
    """Bytes for the front program's terminal. Taken is said once it has room for more."""

    data: bytes


class Resize(NamedTuple):
    """The terminal has another size. Nothing is said."""

    rows: int
    columns: int


class Interrupt(NamedTuple):
    """SIGINT to the front program's process group. Nothing is said."""


class AskJobs(NamedTuple):
    """What has become of the jobs: a tuple of Job is said, of those that were started so far."""


class Terminate(NamedTuple):
    """SIGTERM to a job's process group. Whether it was running is said."""

    number: int


class SetWireRule(NamedTuple):
    """One more rule for a link's wire. What is wrong with it is said; "" where it holds now."""

    text: str


class EndWireRules(NamedTuple):
    """The rules of a link end. How many is said, or what is wrong with the request."""

    way: str


class AskWireRules(NamedTuple):
    """Which rules hold: a tuple of them, each with how many frames it was about, is said.

    Or what is wrong.
    """


class AskSoFar(NamedTuple):
    """What was observed so far: a Recording without calls is said, or what is wrong."""


class EndSession(NamedTuple):
    """End every program; the call returns what was observed."""


class NetworkReady(NamedTuple):
    """Programs can be started; said first."""


class Written(NamedTuple):
    """What the front program has written."""

    data: bytes
    is_error: bool
    """Whether to stderr, where that is not its terminal."""


class Taken(NamedTuple):
    """What was typed has been taken."""


class Ended(NamedTuple):
    """The front program has ended, or could not be started."""

    status: int
    """As a shell says it: the exit status, 128 + N of a program that signal N has ended."""
    failure: str = ""
    """Why it could not be started."""


class Job(NamedTuple):
    """A program that was started behind."""

    number: int
    """From 1."""
    pid: int
    """As the programs of the session see it."""
    program: str
    """Its name."""
    status: int | None
    """None while it runs."""
    new: bytes
    """What it has written since this was said last, as far as it is kept."""
