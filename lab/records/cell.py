"""Programs that nobody trusts: what held them, and what became of a command in a cell."""

from __future__ import annotations

import enum

from lab.frozen import frozen


class Limit(enum.Enum):
    """What a program in a cell may take only so much of, as lab.model.allowed.Limits names it."""

    CPU = "cpu_s"
    MEMORY = "memory_mib"
    PROCESSES = "processes"
    FILE = "file_mib"
    DISK = "disk_mib"
    OPEN_FILES = "open_files"
    OUTPUT = "output_kib"
    WALL = "wall_s"
    FRAMES = "frames"
    CAPTURED = "captured_mib"


class Enforcer(enum.Enum):
    """Who sees to it that a limit is kept."""

    CGROUP = "cgroup"
    """The kernel, of all processes together: cgroups(7), version 2."""
    RLIMIT = "rlimit"
    """The kernel, of each process by itself; of processes, of their user: getrlimit(2)."""
    TMPFS = "tmpfs"
    """The kernel, of the file system: tmpfs(5), size."""
    LAB = "lab"
    """The lab, which looks at all processes together again and again, and ends them."""


@frozen
class LimitKept:
    """A limit that was in force."""

    limit: Limit
    by: Enforcer


@frozen
class CellRun:
    """How a program was held, and what of it has ended it."""

    uid: int
    """As whom it ran; as root nobody else's."""
    kept: tuple[LimitKept, ...]
    """The limits in force; one may be there several times, by several."""
    ended_by: Limit | None = None
    """The limit that ended it; None where none did."""
    was_at_work: bool = False
    """Whether one of its processes was running, or had since, each of the last times that the lab
    looked before its end: it waited for nothing."""


@frozen
class Finished:
    """What became of a command in a cell. Its output is hostile text."""

    status: int | None
    """The exit status, 127 where there is no such command; None where a signal ended it."""
    signal: int | None
    """The number of the signal that ended it."""
    output: str
    """What it wrote to standard output and to standard error, as it came, up to the limit."""
    beyond: int
    """How many bytes more were read."""
    cell: CellRun
