"""What every tracing instrument offers to the run that it observes.

An instrument lives in the sandbox's first process, which starts the programs and serves one
poll loop. It never blocks that loop: what takes time it does in processes of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from lab.records import Trace


class Tracer(ABC):
    """An instrument at work on one run. All of its times are CLOCK_REALTIME."""

    instruments: tuple[str, ...]
    """What it is, a line for each thing it observes, for the report."""

    @classmethod
    @abstractmethod
    def why_not(cls) -> str:
        """Why this process cannot use the instrument, in a few words; "" where it can."""

    @abstractmethod
    def prepare(self, program: str) -> Callable[[], None] | None:
        """Be ready for a program that is about to be forked.

        What the child has to call between fork(2) and execve(2), as its last act; None where
        nothing. It returns once the child is being traced. Raises KernelRefused.
        """

    @abstractmethod
    def started(self, program: str, pid: int) -> None:
        """The program was started, and is that process of the sandbox's pid namespace.

        Not called where starting it failed.
        """

    @abstractmethod
    def descriptors(self) -> Sequence[int]:
        """What to poll for reading; `take` when one is readable."""

    @abstractmethod
    def take(self) -> None:
        """Take in what is there, without waiting."""

    @abstractmethod
    def end_step(self, step: str) -> Trace:
        """What was seen since the step before, marked with this step's name.

        Every process of the step's programs has ended. Raises InstrumentError.
        """

    @abstractmethod
    def own_processes(self) -> Sequence[int]:
        """Pids of processes it needs, so that they are not taken for programs left over."""

    @abstractmethod
    def close(self) -> None:
        """End its processes and give back what it holds, without waiting long."""
