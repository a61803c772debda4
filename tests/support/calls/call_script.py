"""A program's calls and tasks made one after another."""

from __future__ import annotations

from typing import Any

from traced import (
    AF_INET,
    SOCK_STREAM,
    Given,
    call,
    task,
    trace,
)

from lab.records import Syscall, TaskEvent, TaskKind, Trace
from lab.syscalls.descriptors import (
    Followed,
    follow,
    relevant,
)


class Script:
    """A program's calls, one after another, each 1 microsecond long and 2 after the one before."""

    def __init__(self) -> None:
        self.records: list[Syscall | TaskEvent] = []
        self.now = 0

    def call(self, name: str, *arguments: Given, result: int | None = 0, **more: Any) -> Script:
        self.now += 2
        at = (self.now, self.now + 1)
        self.records.append(call("p", name, *arguments, result=result, at=at, **more))
        return self

    def socket(self, result: int, flags: int = 0, **more: Any) -> Script:
        return self.call("socket", AF_INET, SOCK_STREAM | flags, 0, result=result, **more)

    def read(self, descriptor: int, **more: Any) -> Script:
        return self.call("read", descriptor, 0x1000, 9, **more)

    def task(self, kind: TaskKind, **more: Any) -> Script:
        self.now += 2
        self.records.append(task("p", kind, self.now, **more))
        return self

    @property
    def trace(self) -> Trace:
        return trace(*self.records)

    @property
    def found(self) -> Followed:
        return follow(self.trace)

    def last(self) -> int | None:
        """What the last call acted upon."""
        return self.found.acts_on[-1]


def kept(script: Script) -> list[int]:
    """The places of the calls that are kept."""
    whole = script.trace
    pruned = relevant(whole)
    return [whole.syscalls.index(each) for each in pruned.syscalls]
