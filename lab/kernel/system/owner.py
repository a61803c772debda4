"""Who owns what the kernel does not reclaim by itself when a run has ended: control groups.

Their names identify the sandbox's supervisor, so that a later run can see that it has ended.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import NamedTuple

# proc(5), /proc/pid/stat: field 22; the fields after the state, which is field 3, are counted.
_START_TIME = 22 - 4


class Owner(NamedTuple):
    """A process that owns such things. They are to be removed when it has ended."""

    namespace: int
    """Inode of its pid namespace."""
    pid: int
    """In that namespace."""
    start_time: int
    """In clock ticks since boot: a later process with the same pid has another."""

    def name(self, kind: str) -> str:
        """The name of its thing of that kind."""
        return f"wirelab-{self.namespace}-{self.pid}-{self.start_time}-{kind}"


class _Noted(NamedTuple):
    owner: Owner
    proc: int
    """A descriptor of /proc as the owner saw it: of its own pid namespace."""


_noted: _Noted | None = None


def note_owner() -> None:
    """Make this process the owner of what it and its children make.

    To be called while /proc is the one that it was started with. If that belongs to another pid
    namespace, it does not show whether an owner lives: then there is no owner.
    """
    global _noted
    proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    with suppress(OSError):
        started = _start_time(proc, "self")
        if started is not None and os.readlink("self", dir_fd=proc) == str(os.getpid()):
            namespace = os.stat("self/ns/pid", dir_fd=proc).st_ino
            _noted = _Noted(Owner(namespace, os.getpid(), started), proc)


def owner() -> Owner:
    """The owner. There must be one."""
    assert _noted is not None
    return _noted.owner


def has_owner() -> bool:
    """Whether there is one."""
    return _noted is not None


def _start_time(proc: int, process: str) -> int | None:
    """When the process started, by its /proc/pid/stat, or None if it does not live."""
    try:
        descriptor = os.open(f"{process}/stat", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
    except FileNotFoundError:
        return None
    try:
        stat = os.read(descriptor, 4096)
    except ProcessLookupError:
        return None  # it ended in between
    finally:
        os.close(descriptor)
    state, *fields = stat.rpartition(b")")[2].split()
    return int(fields[_START_TIME]) if state not in (b"Z", b"X") else None


def has_ended(other: Owner) -> bool:
    """Whether that owner has ended; False of one of another pid namespace, which cannot be seen."""
    assert _noted is not None
    here, proc = _noted
    if other.namespace != here.namespace:
        return False
    return _start_time(proc, str(other.pid)) != other.start_time
