"""What a program is doing that does not come to what is awaited: at work, or waiting in which call.

Source: proc(5), /proc/pid/task/tid/stat, /proc/pid/syscall, /proc/pid/fd.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from lab.frozen import frozen
from lab.syscalls.waiting import name_of_wait, waits_on_descriptor

MOST_TASKS = 200
"""So many are looked at."""
_WORTH_SAYING_S = 1.0

# proc(5), /proc/pid/stat: counted from the state, field 3.
_PARENT, _UTIME, _STIME = (field - 3 for field in (4, 14, 15))
_STREAMS = {0: "its standard input", 1: "its standard output", 2: "its standard error"}


@frozen
class _Task:
    pid: int
    tid: int
    state: str
    cpu_s: float


def what_it_does(pid: int, also: Collection[int] = ()) -> str:
    """What a process and those that descend from it or from one of `also` do now, in words.

    "it is at work, and has taken 7.9 s of the processor's time", "it waits in read(2) on
    descriptor 3, a pipe"; "" where there is none, or nothing can be read.
    """
    tasks = [*_tasks(_family(pid, also))][:MOST_TASKS]
    if not tasks:
        return ""
    cpu_s = sum(task.cpu_s for task in tasks)
    taken = f"has taken {cpu_s:.1f} s of the processor's time"
    if any(task.state == "R" for task in tasks):
        return f"it is at work, and {taken}"
    said = " and ".join(dict.fromkeys(map(_said, tasks)))
    return f"it {said}, and {taken}" if cpu_s >= _WORTH_SAYING_S else f"it {said}"


def _said(task: _Task) -> str:
    """What one task does that is not at work."""
    if task.state in "Tt":
        return "is stopped"
    if task.state == "D":
        return "waits for the kernel, for a disk say"
    words: list[str] = []
    with suppress(OSError):
        words = Path(f"/proc/{task.pid}/task/{task.tid}/syscall").read_text("ascii").split()
    if len(words) < 2 or not words[0].isdigit():
        return "waits"
    machine, number = os.uname().machine, int(words[0])
    name = name_of_wait(machine, number)
    if not name:
        return f"waits in the system call {number}"
    if not waits_on_descriptor(name):
        return f"waits in {name}(2)"
    descriptor = int(words[1], 16) & 0xFFFFFFFF
    return f"waits in {name}(2) on descriptor {descriptor}{_kind(task.pid, descriptor)}"


def _kind(pid: int, descriptor: int) -> str:
    """What a descriptor is of: ", a pipe"."""
    if descriptor in _STREAMS:
        return f", {_STREAMS[descriptor]}"
    with suppress(OSError):
        target = os.readlink(f"/proc/{pid}/fd/{descriptor}")  # noqa: PTH115  no Path
        kind, colon, _ = target.partition(":")
        if colon and kind in ("socket", "pipe"):
            return f", a {kind}"
    return ""


def _family(pid: int, also: Collection[int]) -> list[int]:
    """The process and all that descend from it or from `also`, which are left out."""
    parents = {
        int(name): int(fields[_PARENT])
        for name in os.listdir("/proc")  # noqa: PTH208  a Path for each costs more
        if name.isdigit() and len(fields := _fields(f"/proc/{name}/stat")) > _STIME
    }
    roots = {pid, *also}

    def descends(each: int) -> bool:
        while each in parents:
            each = parents[each]
            if each in roots:
                return True
        return False

    return [
        each for each in sorted(parents) if each == pid or (each not in roots and descends(each))
    ]


def _tasks(pids: Collection[int]) -> Iterator[_Task]:
    ticks = os.sysconf("SC_CLK_TCK")
    for pid in pids:
        with suppress(OSError):
            for tid in sorted(os.listdir(f"/proc/{pid}/task"), key=int):  # noqa: PTH208
                fields = _fields(f"/proc/{pid}/task/{tid}/stat")
                if fields and fields[0] not in "ZX":
                    cpu_s = (int(fields[_UTIME]) + int(fields[_STIME])) / ticks
                    yield _Task(pid, int(tid), fields[0], cpu_s)


def _fields(path: str) -> list[str]:
    """From the state on; none where the process has ended."""
    try:
        return Path(path).read_bytes().rpartition(b")")[2].decode("ascii").split()
    except OSError:
        return []
