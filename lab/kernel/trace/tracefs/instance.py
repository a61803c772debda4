"""The lab's tracefs instances: trace buffers of their own, named after the process that owns them.

An instance is the one thing of a run that the kernel does not reclaim by itself. Its name
identifies the sandbox's supervisor, or the collector that serves many runs (keeper.py), so that a
later run can see that its owner has ended.
Source: Documentation/trace/ftrace.rst, "Instances".
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lab.errors import InstrumentError, KernelRefused
from lab.kernel.system import libc

TRACEFS = "/sys/kernel/tracing"
INSTANCES = f"{TRACEFS}/instances"
KINDS = ("calls", "kernel")
_PIECE_BYTES = 1 << 16

_NAME = re.compile(r"wirelab-(\d+)-(\d+)-(\d+)-(?:" + "|".join(KINDS) + ")")
# proc(5), /proc/pid/stat: field 22; the fields after the state, which is field 3, are counted.
_START_TIME = 22 - 4


class Owner(NamedTuple):
    """A process that owns instances. They are to be removed when it has ended."""

    namespace: int
    """Inode of its pid namespace."""
    pid: int
    """In that namespace."""
    start_time: int
    """In clock ticks since boot: a later process with the same pid has another."""

    def name(self, kind: str) -> str:
        """The name of its instance of that kind."""
        return f"wirelab-{self.namespace}-{self.pid}-{self.start_time}-{kind}"


class _Noted(NamedTuple):
    owner: Owner
    proc: int
    """A descriptor of /proc as the owner saw it: of its own pid namespace."""


_noted: _Noted | None = None


def note_owner() -> None:
    """Make this process the owner of the instances that it and its children make.

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
    """The owner. Raises InstrumentError if there is none."""
    if _noted is None:
        raise InstrumentError("tracefs instances have no owner here: only root's sandboxes have")
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


def sweep() -> None:
    """Remove the instances whose owner has ended.

    Those of other pid namespaces are left alone: this process cannot see whether their owners
    live. One that another lab is making or removing at the same time is left to it.
    """
    for name in os.listdir(INSTANCES):  # noqa: PTH208  a Path for each costs ten times as much
        found = _NAME.fullmatch(name)
        if found is not None and has_ended(Owner(*map(int, found.groups()))):
            _remove(name)


def remove_behind_me() -> None:
    """Remove the instances that this process owns, without waiting for it.

    A child removes them, since that takes some 50 ms (the kernel waits for every CPU) and the
    parent waits for this process's end. Every process of its sandbox must have ended. If the
    child is killed, the next run's `sweep` removes them.
    """
    if _noted is None:
        return
    names = [_noted.owner.name(kind) for kind in KINDS]
    if not any(os.path.lexists(f"{INSTANCES}/{name}") for name in names):
        return
    # A process cannot fork into a pid namespace whose init is dead.
    here = os.open("self/ns/pid", os.O_RDONLY | os.O_CLOEXEC, dir_fd=_noted.proc)
    libc.setns(here, libc.CLONE_NEWPID, "cannot return to the pid namespace")
    if os.fork() == 0:
        # Who reads this process's output to its end must not wait for the child.
        os.closerange(0, os.sysconf("SC_OPEN_MAX"))
        for name in names:
            _remove(name)
        os._exit(0)


def remove_mine() -> None:
    """Remove the instances that this process owns, once it has none of their files open."""
    for kind in KINDS:
        _remove(owner().name(kind))


def _remove(name: str) -> None:
    # EBUSY: somebody has a file of it open; the next run's `sweep` removes it.
    with suppress(OSError):
        os.rmdir(f"{INSTANCES}/{name}")  # noqa: PTH106


def mount_tracefs() -> None:
    """Mount tracefs in this mount namespace, unless it is mounted already.

    Raises KernelRefused.
    """
    if Path(INSTANCES).is_dir():
        return
    libc.mount("tracefs", TRACEFS, "tracefs", libc.MS_NOSUID | libc.MS_NODEV | libc.MS_NOEXEC)


class Instance:
    """A trace buffer with its own events, clock and pipes."""

    def __init__(self, kind: str, of: Owner) -> None:
        """The owner's instance of that kind, which `make` makes."""
        self.path = f"{INSTANCES}/{of.name(kind)}"

    def make(self) -> None:
        """Make it. Raises KernelRefused."""
        try:
            os.mkdir(self.path)  # noqa: PTH102
        except OSError as error:
            raise _refused(f"cannot make the tracefs instance {self.path}", error) from error

    def write(self, file: str, value: str, *, adds: bool = False) -> None:
        """Write a whole value into one of its files, or add it to that. Raises KernelRefused."""
        flags = os.O_WRONLY | os.O_CLOEXEC | (0 if adds else os.O_TRUNC)
        try:
            descriptor = os.open(f"{self.path}/{file}", flags)
            try:
                os.write(descriptor, value.encode("ascii"))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _refused(f"cannot write {value!r} to {self.path}/{file}", error) from error

    def read(self, file: str) -> str:
        """The text of one of its files. Raises KernelRefused."""
        # Of more than a hundred files in each traced run: a Path for each took 10 ms.
        pieces = []
        try:
            descriptor = os.open(f"{self.path}/{file}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                while piece := os.read(descriptor, _PIECE_BYTES):
                    pieces.append(piece)
            finally:
                os.close(descriptor)
            return b"".join(pieces).decode("utf-8")
        except OSError as error:
            raise _refused(f"cannot read {self.path}/{file}", error) from error

    def has(self, file: str) -> bool:
        """Whether it has that file."""
        return os.path.lexists(f"{self.path}/{file}")

    def cpus(self) -> list[str]:
        """The folders in `per_cpu` of the CPUs that are online; it has others, too."""
        online = Path("/sys/devices/system/cpu/online").read_text("ascii")
        found = []
        for part in online.strip().split(","):
            first, _, last = part.partition("-")
            found += [f"cpu{number}" for number in range(int(first), int(last or first) + 1)]
        return [cpu for cpu in found if self.has(f"per_cpu/{cpu}/trace_pipe_raw")]

    def open_pipe(self, cpu: str) -> int:
        """A non-blocking descriptor to read one CPU's pages from. Raises KernelRefused."""
        try:
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            return os.open(f"{self.path}/per_cpu/{cpu}/trace_pipe_raw", flags)
        except OSError as error:
            raise _refused(f"cannot read {self.path}/per_cpu/{cpu}", error) from error

    def open_marker(self) -> int:
        """A descriptor to write marks among the events to. Raises KernelRefused."""
        try:
            return os.open(f"{self.path}/trace_marker", os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _refused(f"cannot open {self.path}/trace_marker", error) from error

    def lost(self) -> int:
        """How many events were lost since it was made, by the kernel's own count."""
        counted = ("overrun", "commit overrun", "dropped events")
        total = 0
        for cpu in self.cpus():
            for line in self.read(f"per_cpu/{cpu}/stats").splitlines():
                name, _, value = line.partition(":")
                total += int(value) if name in counted else 0
        return total


def _refused(attempt: str, error: OSError) -> KernelRefused:
    name = errno.errorcode.get(error.errno or 0, str(error.errno))
    return KernelRefused(f"{attempt}: {name} ({error.strerror}); `--trace ptrace` needs no tracefs")
