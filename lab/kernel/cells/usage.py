"""What the processes of a cell take together, read from its /proc.

Source: proc(5), /proc/pid/stat and /proc/pid/smaps_rollup.
"""

from __future__ import annotations

import os

from lab.frozen import frozen

INIT = "1"
"""The lab's process in the cell, which takes over those whose parent has ended."""

# proc(5), /proc/pid/stat: counted from the state, field 3.
_UTIME, _STIME, _CUTIME, _CSTIME, _RSS = (field - 3 for field in (14, 15, 16, 17, 24))


@frozen
class Usage:
    """At one moment."""

    cpu_s: float
    """Since their start; of processes whose parent did not wait for their end nothing."""
    resident_bytes: int
    """In memory; what several share counts for each."""
    processes: int


def read_usage(proc: int) -> Usage:
    """What they take now. `proc` is a descriptor of the cell's /proc. Raises OSError."""
    ticks = resident = processes = 0
    for name in os.listdir(proc):
        if not name.isdigit() or (fields := _stat(proc, name)) is None:
            continue
        ticks += fields[_CUTIME] + fields[_CSTIME]
        if name != INIT:
            ticks += fields[_UTIME] + fields[_STIME]
            resident += fields[_RSS]
            processes += 1
    page = os.sysconf("SC_PAGE_SIZE")
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), resident * page, processes)


def is_at_work(proc: int) -> bool:
    """Whether any task is running, or could be if it was given a processor. Raises OSError."""
    for name in os.listdir(proc):
        if not name.isdigit() or name == INIT:
            continue
        try:
            folder = os.open(f"{name}/task", os.O_RDONLY | os.O_DIRECTORY, dir_fd=proc)
        except (FileNotFoundError, ProcessLookupError):
            continue
        try:
            tasks = os.listdir(folder)  # noqa: PTH208  a descriptor
        except (FileNotFoundError, ProcessLookupError):
            continue
        finally:
            os.close(folder)
        for task in tasks:
            fields = _read(proc, f"{name}/task/{task}/stat", 4096).rpartition(b")")[2].split()
            if fields[:1] == [b"R"]:
                return True
    return False


def proportional_bytes(proc: int) -> int:
    """What they have in memory, what several share counted once: sums of Pss. Raises OSError."""
    total = 0
    for name in os.listdir(proc):
        if name.isdigit() and name != INIT:
            for line in _read(proc, f"{name}/smaps_rollup", 4096).splitlines():
                words = line.split()
                if words and words[0] == b"Pss:":
                    total += int(words[1]) * 1024
    return total


def _stat(proc: int, name: str) -> list[int] | None:
    """A process's numbers from its state's on; None where it has ended."""
    found = _read(proc, f"{name}/stat", 4096).rpartition(b")")[2].split()
    return [0, *map(int, found[1:])] if found else None


def _read(proc: int, path: str, size: int) -> bytes:
    """The start of a process's file; b"" where the process has ended."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
    except (FileNotFoundError, ProcessLookupError):
        return b""
    try:
        return os.read(descriptor, size)
    except ProcessLookupError:
        return b""
    finally:
        os.close(descriptor)
