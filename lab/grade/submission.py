"""What students hand in where that is a program: its name, its languages, and how it is started."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field

from lab.errors import UsageError, did_you_mean
from lab.frozen import frozen
from lab.model.allowed import Limits

BRACED = ("main", "sources", "name", "python")
"""What may stand in braces in a language's commands."""
_BRACED = re.compile(r"\{(\w*)\}")

BUILD = Limits(cpu_s=60, memory_mib=1024, processes=128, file_mib=64, disk_mib=256, wall_s=120)
"""What building may take: compilers need more than programs."""


@frozen
class Language:
    """A language that programs are written in: how one is built, and started.

    Raises UsageError where it makes no sense. In `build` and `start`, which are split at blanks,
    these words stand for what was handed in: {main} for the file of the program, {sources} for all
    files of the language, {name} for the program's name, and {python} for an interpreter.
    """

    name: str
    ends: tuple[str, ...]
    """Of the names of its files, the first being usual."""
    build: str
    """What builds it, in its folder; "" where nothing has to be built."""
    start: str
    needs: tuple[str, ...] = ()
    """What must be there besides the commands that `build` and `start` begin with."""
    as_class: bool = False
    """Whether the file is called as its class is: EchoServer.java of echo_server."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise UsageError(f"a language has the name {self.name!r}, which is none")
        if not isinstance(self.ends, tuple | list) or not all(
            isinstance(end, str) and end.startswith(".") and len(end) > 1 for end in self.ends
        ):
            raise UsageError(f"the language {self.name} has ends={self.ends!r}: write ('.rs',)")
        if not self.ends:
            raise UsageError(f"the language {self.name} has no ends of its files' names")
        if isinstance(self.needs, str):
            raise UsageError(f"the language {self.name} has needs={self.needs!r}: give a tuple")
        if not self.start.split():
            raise UsageError(
                f"the language {self.name} has no start, by which a program is started"
            )
        for command in (self.build, self.start):
            for word in _BRACED.findall(command):
                if word not in BRACED:
                    near = did_you_mean(word, BRACED)
                    known = ", ".join(f"{{{each}}}" for each in BRACED)
                    raise UsageError(
                        f"the language {self.name} has {{{word}}} in {command!r}{near}; there are "
                        f"{known}"
                    )

    @property
    def tools(self) -> tuple[str, ...]:
        """The commands that must be there to build and start it, each once."""
        words = (command.split()[:1] for command in (self.build, self.start))
        first = (word for begin in words for word in begin if "{" not in word)
        return tuple(dict.fromkeys((*first, *self.needs)))

    def file_name(self, program: str) -> str:
        """What the program's file is called: "echo_server.py"."""
        return f"{self.called(program)}{self.ends[0]}"

    def called(self, program: str) -> str:
        """What the program is called, where it is not its file's name that says it."""
        if not self.as_class:
            return program
        words = program.replace("-", "_").split("_")
        return "".join(word[:1].upper() + word[1:] for word in words)


PYTHON = Language("Python", (".py",), "{python} -m py_compile {sources}", "{python} {main}")
C = Language(
    "C",
    (".c",),
    "cc -std=gnu17 -O1 -g -Wall -Wextra -pthread -o {name} {sources} -lm",
    "./{name}",
)
JAVA = Language(
    "Java",
    (".java",),
    "javac -J-XX:MaxRAM=512m -J-XX:+UseSerialGC -encoding UTF-8 -d . {sources}",
    "java -XX:MaxRAM=256m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp . {name}",
    as_class=True,
)
GO = Language("Go", (".go",), "go build -o {name} {sources}", "./{name}")
LANGUAGES = {each.name: each for each in (PYTHON, C, JAVA, GO)}
"""By name, those that are known."""


@frozen
class Submission:
    """What is handed in: one program. Raises UsageError where it makes no sense."""

    program: str
    """Its name, which its file has before the end: "echo_server"."""
    languages: tuple[str | Language, ...] = tuple(LANGUAGES)
    """That it may be written in, by name or in full."""
    arguments: str = "{port}"
    """The words behind it, split as by a shell; {server}, {client}, {family} and so on as well."""
    port: int = 4242
    """What {port} stands for: where it is to listen."""
    limits: Limits = Limits(memory_mib=512)
    """How much it may take in a trial: what Java needs."""
    given: Mapping[str, bytes] = field(default_factory=dict, hash=False)
    """Files that the sheet puts beside it, by name."""

    def __post_init__(self) -> None:
        if not isinstance(self.program, str) or not self.program.replace("_", "a").isalnum():
            raise UsageError(
                f"a submission's program is called {self.program!r}: its name has letters, digits "
                "and underscores"
            )
        for each in self.languages:
            if not isinstance(each, Language) and each not in LANGUAGES:
                near = did_you_mean(str(each), LANGUAGES)
                raise UsageError(
                    f"a submission may be in {each!r}{near}; there are {', '.join(LANGUAGES)}"
                )
        if not self.languages or isinstance(self.languages, str):
            raise UsageError("a submission has no languages: give their names in a tuple")
        if not isinstance(self.port, int) or not 1024 <= self.port <= 65535:
            raise UsageError(f"a submission's port is {self.port!r}, not one from 1024 to 65535")
        for name in self.given:
            if not name or "/" in name or name.startswith("."):
                raise UsageError(f"a submission is given a file {name!r}: its name is of one part")

    @property
    def known(self) -> tuple[Language, ...]:
        """Its languages."""
        return tuple(
            each if isinstance(each, Language) else LANGUAGES[each] for each in self.languages
        )
