"""The interface of every tracing instrument.

An instrument runs in the sandbox's init, which starts the programs and serves one poll loop. It
never blocks that loop: work that takes time is done in processes of its own.
"""

from __future__ import annotations

import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from lab.records import Instrument, Syscall, Trace


def killing_signal(pid: int) -> signal.Signals | None:
    """The signal that is ending or has ended a child that is not reaped; None if it exits itself.

    Waits for its end. Raises ChildProcessError.
    """
    end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    if end is None or end.si_code == os.CLD_EXITED:
        return None
    return signal.Signals(end.si_status)


class Host(NamedTuple):
    """A host of the topology, as the kernel's events name it."""

    name: str
    interfaces: Mapping[int, str]
    """By their indexes."""


class Tracer(ABC):
    """An instrument that traces one run. All of its times are CLOCK_REALTIME."""

    instruments: tuple[Instrument, ...]
    """What it is, a line for each thing it observes, for the report."""

    def __init__(self) -> None:
        self._killed: list[str] = []
        self._denied: dict[str, str] = {}

    def take_killed(self) -> tuple[str, ...]:
        """Its processes that were killed by others, a line each; after `end_step`.

        What these had seen is missing in the trace of that step.
        """
        killed, self._killed = self._killed, []
        return tuple(killed)

    def go_live(self) -> bool:
        """Tell of calls while they are made, from the next `prepare` on; whether it can."""
        return False

    def take_live(self) -> tuple[Sequence[Syscall], int]:
        """The calls that were entered or have returned since this was asked last, in that order.

        A call has no step yet, and no exit until it has returned; its program, thread and entry
        say which it is. Beside them stands how many were not reported, since too many came at once.
        """
        return (), 0

    def take_denied(self) -> dict[str, str]:
        """What programs could not do because they were traced, by program; after `end_step`.

        It is worded as a record's failure.
        """
        denied, self._denied = self._denied, {}
        return denied

    @classmethod
    @abstractmethod
    def why_not(cls) -> str:
        """Why this process cannot use the instrument, in a few words; "" if it can."""

    @abstractmethod
    def watch(self, hosts: Mapping[int, Host]) -> None:
        """To be called before the first `prepare`, with the hosts by their namespaces' inodes.

        By these an instrument that sees the whole machine distinguishes the run's hosts.
        """

    def make_ready(self) -> None:  # noqa: B027  most are ready at once
        """Wait until the instrument is ready, or known not to become so: `prepare` would, too.

        Called after `watch`. Raises KernelRefused, then it is good for nothing but to be closed,
        and InstrumentError.
        """

    @abstractmethod
    def prepare(self, program: str) -> Callable[[], None] | None:
        """A function for the child to call as its last act between fork(2) and execve(2), or None.

        Called before the program is forked. The function returns once the child is traced.
        Raises KernelRefused.
        """

    @abstractmethod
    def started(self, program: str, pid: int) -> None:
        """To be called when the program has been started; `pid` is the sandbox's.

        Not called if starting it failed.
        """

    @abstractmethod
    def descriptors(self) -> Sequence[int]:
        """Descriptors to poll for reading: a tracer is a source of lab.kernel.system.loop."""

    @abstractmethod
    def take(self, readable: Collection[int]) -> None:
        """Read what has arrived at those of its descriptors that are readable."""

    @abstractmethod
    def end_step(self, step: str) -> Trace:
        """What was traced since the step before, marked with this step's name.

        Every process of the step's programs must have ended. Raises InstrumentError.
        """

    @abstractmethod
    def own_processes(self) -> Sequence[int]:
        """Pids of the instrument's own processes, which are no leftovers of programs."""

    @abstractmethod
    def close(self) -> None:
        """End its processes and free what it holds, without waiting long."""
