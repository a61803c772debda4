"""Programs to run on hosts, and the steps they make up, as plain values."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from string import Formatter

from lab.errors import UsageError
from lab.frozen import frozen
from lab.model.allowed import Cell

DEADLINE_S = 30.0  # an emulated machine takes seconds to import what a demo needs
LISTENING_DEADLINE_S = 10.0
LINGER_S = 0.25  # for programs that end with their clients to do so


@frozen
class Listening:
    """A socket by which a program can be reached: TCP listening, UDP bound, unix with a name."""

    port: int | None = None
    """The port of a TCP or UDP socket; None for any port."""
    path: str = ""
    """The path of a unix socket, or "@" and its abstract name; then `port` is ignored."""
    deadline_s: float = LISTENING_DEADLINE_S
    """It must be there this many seconds after the program's start."""

    def __str__(self) -> str:
        """The socket in words: "TCP or UDP port 80", or a unix socket's path."""
        port = "any TCP or UDP port" if self.port is None else f"TCP or UDP port {self.port}"
        return self.path or port


@frozen
class Program:
    """A program to run on a host.

    `argv` may have placeholders: `{python}` stands for this interpreter, `{family}` for 4 or 6,
    `{loopback}` for 127.0.0.1 or ::1, `{client}`, `{server}` and so on for that host's address,
    `{client4}`, `{client6}` and so on for its address of that version, `{client_eth1}` for the one
    of that interface, and `{server_url}` and
    so on for the address as in a URL: IPv6 in brackets (RFC 3986, 3.2.2). Other braces are
    doubled. /run/wirelab is a folder that the programs of all hosts share; it ends with the run, as
    /tmp does. What they may do besides is in docs/isolation.md.
    """

    name: str
    host: str
    argv: tuple[str, ...]
    signals_ready: bool = False
    """Whether it writes a line to the descriptor named in READY_FD once it serves. The programs
    after it are started then."""
    deadline_s: float = DEADLINE_S
    """It must have ended this many seconds after its start."""
    has_checkpoints: bool = False
    """Whether it waits at checkpoints: it writes the name of each, a line, to the descriptor named
    in CHECKPOINT_FD. Then the kernel's unix sockets are recorded, and a line is written back to
    let it go on."""
    asks_for_rest: bool = False
    """Whether it may ask when the others have come to rest: it writes a line to the descriptor
    named in REST_FD, and reads the same line there once none of them goes on by itself."""
    listens: Listening | None = None
    """The socket that it opens. The programs after it are started once the kernel shows it."""
    serves: bool = False
    """Whether it may serve for ever: it has no deadline and, which is no failure, is ended by
    SIGTERM once the step's other programs have ended."""
    linger_s: float = LINGER_S
    """How long a program that serves may go on once the others have ended, before SIGTERM."""
    ends_others: bool = True
    """Whether the others are ended soon after it has failed: what they wait for will not come."""
    is_needed: bool = True
    """Whether the programs after it are not started where it never became ready, or ended before it
    listened."""
    capabilities: tuple[str, ...] = ()
    """Names of capabilities(7) that it has besides those of every program (docs/isolation.md)."""
    cell: Cell | None = None
    """Within what it is held, if nobody trusts it (docs/submissions.md). Then it has no capability,
    nothing of /run/wirelab, and `{python}` is this interpreter without the packages of a virtual
    environment."""

    def __post_init__(self) -> None:
        """Raises UsageError where a program in a cell is to have capabilities or checkpoints."""
        refused = {
            "capabilities": self.capabilities,
            "checkpoints": self.has_checkpoints,
            "questions": self.asks_for_rest,
        }
        for what, wanted in refused.items():
            if self.cell is not None and wanted:
                raise UsageError(f"program {self.name} is in a cell, and can have no {what}")

    def expanded(self, placeholders: Mapping[str, str]) -> Program:
        """The same program with its argv's placeholders replaced.

        Raises UsageError for an unknown placeholder.
        """
        if self.cell is not None and "python" in placeholders:
            # What is beneath a virtual environment, which the program does not see.
            placeholders = {**placeholders, "python": os.path.realpath(placeholders["python"])}
        try:
            argv = tuple(_filled(argument, placeholders) for argument in self.argv)
        except (KeyError, ValueError) as error:
            raise UsageError(
                f"program {self.name}: unknown placeholder {error} in {self.argv}"
            ) from None
        return replace(self, argv=argv)


def _filled(text: str, placeholders: Mapping[str, str]) -> str:
    """The text with what stands in braces replaced: names alone, without format or attribute.

    Raises KeyError and ValueError.
    """
    words = []
    for before, name, form, conversion in Formatter().parse(text):
        words.append(before)
        if name is not None:
            if form or conversion:
                raise ValueError(repr(f"{name}:{form}" if form else f"{name}!{conversion}"))
            words.append(placeholders[name])
    return "".join(words)


def demo(
    page: str,
    *,
    on: str,
    args: Sequence[str | int] = (),
    name: str = "",
    ready: bool = False,
    checkpoints: bool = False,
    capabilities: tuple[str, ...] = (),
    packages: bool = False,
) -> Program:
    """The program `demos/page.py` beside the file that calls this, run on the host `on`.

    Where no folder `demos` is beside it, the one beside its folder is meant.

    It is named after its host, unless `name` is given. `ready`: it signals that it serves, and
    the programs after it wait for that; `checkpoints`, `capabilities`: as Program has them. It
    is isolated from installed packages unless it needs `packages`. Where there is no file, as in
    an interactive interpreter, the folder `demos` is that of the current directory.
    """
    if isinstance(args, str):
        raise UsageError(f"demo {page}: args is a list of words, such as [{args!r}], not a text")
    beside = Path(sys._getframe(1).f_globals.get("__file__", "")).parent.absolute()
    if not (beside / "demos").is_dir() and (beside.parent / "demos").is_dir():
        beside = beside.parent
    file = str(beside / "demos" / f"{page}.py").replace("{", "{{").replace("}", "}}")
    # -P: without the demo's folder in sys.path, as -I has it.
    options = "-P" if packages else "-IS"
    return Program(
        name or on,
        on,
        ("{python}", options, file, *map(str, args)),
        signals_ready=ready,
        has_checkpoints=checkpoints,
        capabilities=capabilities,
    )


@frozen
class Step:
    """A part of a scenario with a bracket of canaries of its own."""

    name: str
    programs: tuple[Program, ...]
    """In the order of their start."""
    wire: tuple[str, ...] = ()
    """What happens to frames on the links, a rule each: "client>server drop SYN 1"
    (docs/wire.md)."""

    def expanded(self, placeholders: Mapping[str, str]) -> Step:
        """The same step with its programs' placeholders replaced.

        Raises UsageError for an unknown placeholder.
        """
        programs = tuple(program.expanded(placeholders) for program in self.programs)
        return replace(self, programs=programs)

    def patient(self, deadline_s: float) -> Step:
        """The same step whose programs have at least so many seconds, to end and to listen."""
        programs = []
        for program in self.programs:
            listens = program.listens
            if listens is not None:
                listens = replace(listens, deadline_s=max(listens.deadline_s, deadline_s))
            longest = max(program.deadline_s, deadline_s)
            programs.append(replace(program, deadline_s=longest, listens=listens))
        return replace(self, programs=tuple(programs))
