"""A trial: one run of what was handed in, for the checks and misconceptions of a sheet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import field
from inspect import getdoc
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from lab.errors import UsageError
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.model.topology import Topology

Making: TypeAlias = Callable[[Any], object]
"""Given a SubmissionBench: says what runs, runs it once, and returns what was seen."""

UNTRACED = "none"
TRACES = ("auto", "bpf", "ptrace", UNTRACED)
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""What a check, a trial or a misconception may be called."""


@frozen
class Trial:
    """One run, made at most once for each submission. `@trial` makes it of a function.

    Raises UsageError where it makes no sense.
    """

    name: str
    """The function's, with hyphens: "one-client"."""
    make: Making
    family: int = 4
    """The IP version of the network, 4 or 6."""
    trace: str = UNTRACED
    """What traces the programs' system calls, as `wirelab run --trace`. It costs time."""
    topology: Topology | str | None = field(default=None, hash=False)
    """The network; None: client and server, on one link."""
    rules_may_miss: bool = False
    """Whether checks of it may pass though one of its wire's rules struck no frame."""

    def __post_init__(self) -> None:
        if not callable(self.make) or not sentence_of(self.make):
            raise UsageError(
                f"the trial {self.name!r} needs a function with a docstring; its first line "
                "is what students read"
            )
        if not NAME.fullmatch(self.name):
            raise UsageError(
                f"a trial is called {self.name!r}: its name has small letters, digits and hyphens"
            )
        if self.family not in (4, 6):
            raise UsageError(
                f"the trial {self.name!r} is of IP version {self.family!r}, not 4 or 6"
            )
        if self.trace not in TRACES:
            raise UsageError(
                f"the trial {self.name!r} has trace={self.trace!r}; there are {', '.join(TRACES)}"
            )

    @property
    def sentence(self) -> str:
        """What is done, as a student reads it."""
        return sentence_of(self.make)

    @property
    def is_traced(self) -> bool:
        """Whether system calls are seen."""
        return self.trace != UNTRACED


@overload
def trial(make: Making, /) -> Trial: ...
@overload
def trial(
    *,
    name: str = "",
    family: int = 4,
    trace: str = UNTRACED,
    topology: Topology | str | None = None,
    rules_may_miss: bool = False,
) -> Callable[[Making], Trial]: ...
def trial(
    make: Making | None = None,
    /,
    *,
    name: str = "",
    family: int = 4,
    trace: str = UNTRACED,
    topology: Topology | str | None = None,
    rules_may_miss: bool = False,
) -> Trial | Callable[[Making], Trial]:
    """The trial that a function makes: `@trial`, or `@trial(family=6)`. Raises UsageError."""

    def made(function: Making) -> Trial:
        called = name or getattr(function, "__name__", "").strip("_").lower().replace("_", "-")
        return Trial(called, function, family, trace, topology, rules_may_miss)

    return made if make is None else made(make)


def trials_of(what: str, given: object) -> tuple[Trial, ...]:
    """One trial, or several in a tuple or a list, as a tuple. Raises UsageError."""
    given = (given,) if isinstance(given, Trial) else given
    if not isinstance(given, tuple | list) or any(not isinstance(each, Trial) for each in given):
        raise UsageError(f"{what} has of={given!r}: give a trial, or several in a tuple")
    return tuple(given)


def each_once(trials: Iterable[Trial]) -> tuple[Trial, ...]:
    """Every one of them once, in their order."""
    return tuple({each.name: each for each in trials}.values())


def sentence_of(function: Callable[..., object]) -> str:
    """The first line of a function's docstring; "" where it has none."""
    lines = (getdoc(function) or "").split("\n")
    return lines[0].strip()
