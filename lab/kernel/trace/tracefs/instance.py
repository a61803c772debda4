"""tracefs instances of the lab's: trace buffers of their own, named after who owns them.

An instance is the one thing of a run that the kernel does not reclaim by itself. Its name tells
the process whose end is the run's, so that whoever comes later can tell that nobody owns it.
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

_NAME = re.compile(r"wirelab-(\d+)-(\d+)-(\d+)-(?:" + "|".join(KINDS) + ")")
# proc(5), /proc/pid/stat: field 22, counted behind the state, which is field 3.
_START_TIME = 22 - 4


class Owner(NamedTuple):
    """The process whose end is the end of what it owns."""

    namespace: int
    """Inode of its pid namespace."""
    pid: int
    """There."""
    start_time: int
    """In clock ticks since boot: a later process of the same number has another."""

    def name(self, kind: str) -> str:
        """Its instance of that kind."""
        return f"wirelab-{self.namespace}-{self.pid}-{self.start_time}-{kind}"


class _Noted(NamedTuple):
    owner: Owner
    proc: int
    """/proc as the owner saw it: of its own pid namespace."""


_noted: _Noted | None = None


def note_owner() -> None:
    """Have this process own the instances that it and its children make.

    To be called while /proc is the one that it was started with. Where that is of another pid
    namespace, so that nobody's life can be seen there, there is no owner.
    """
    global _noted
    proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    with suppress(OSError):
        started = _start_time(proc, "self")
        if started is not None and os.readlink("self", dir_fd=proc) == str(os.getpid()):
            namespace = os.stat("self/ns/pid", dir_fd=proc).st_ino
            _noted = _Noted(Owner(namespace, os.getpid(), started), proc)


def owner() -> Owner:
    """The owner that was noted. Raises InstrumentError where none was."""
    if _noted is None:
        raise InstrumentError("nobody owns what would be traced: only root's sandboxes have owners")
    return _noted.owner


def has_owner() -> bool:
    """Whether there is one."""
    return _noted is not None


def _start_time(proc: int, process: str) -> int | None:
    """When the process began, as its /proc/pid/stat says; None where there is none alive."""
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


def sweep() -> None:
    """Remove the instances that have lost their owner.

    Those of other pid namespaces are left alone: whether their owners live cannot be seen from
    here. One that is being removed or made by another lab meanwhile is left to that.
    """
    assert _noted is not None
    here, proc = _noted
    for name in os.listdir(INSTANCES):  # noqa: PTH208  a Path for each costs ten times as much
        found = _NAME.fullmatch(name)
        if found is None or int(found[1]) != here.namespace:
            continue
        if _start_time(proc, found[2]) != int(found[3]):
            _remove(name)


def remove_behind_me() -> None:
    """Have what this process owns be removed, without waiting for it.

    A child does it: removing an instance waits for every CPU, some 50 ms, and this process's
    end is waited for. Nothing of its sandbox may be alive any more. Where the child is killed as
    well, the next start sweeps.
    """
    if _noted is None:
        return
    names = [_noted.owner.name(kind) for kind in KINDS]
    if not any(os.path.lexists(f"{INSTANCES}/{name}") for name in names):
        return
    # A process can have no children in a pid namespace whose first process is dead.
    here = os.open("self/ns/pid", os.O_RDONLY | os.O_CLOEXEC, dir_fd=_noted.proc)
    libc.setns(here, libc.CLONE_NEWPID, "cannot return to the pid namespace")
    if os.fork() == 0:
        # Whoever reads this process's output to its end must not wait for this.
        os.closerange(0, os.sysconf("SC_OPEN_MAX"))
        for name in names:
            _remove(name)
        os._exit(0)


def _remove(name: str) -> None:
    # EBUSY: somebody looks into it; the next start sweeps.
    with suppress(OSError):
        os.rmdir(f"{INSTANCES}/{name}")  # noqa: PTH106


def mount_tracefs() -> None:
    """Have tracefs at its place, for this mount namespace alone, unless it is there already.

    Raises KernelRefused.
    """
    if Path(INSTANCES).is_dir():
        return
    quiet = libc.MS_NOSUID | libc.MS_NODEV | libc.MS_NOEXEC
    libc.mount("tracefs", TRACEFS, "tracefs", quiet)


class Instance:
    """A trace buffer with its own events, clock and pipes."""

    def __init__(self, kind: str) -> None:
        """An instance that exists, made by `make` or to be."""
        self.path = f"{INSTANCES}/{owner().name(kind)}"

    def make(self) -> None:
        """Raises KernelRefused."""
        try:
            os.mkdir(self.path)  # noqa: PTH102
        except OSError as error:
            raise _refused(f"cannot make the tracefs instance {self.path}", error) from error

    def write(self, file: str, value: str) -> None:
        """Write a whole value into one of its files. Raises KernelRefused."""
        try:
            descriptor = os.open(f"{self.path}/{file}", os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
            try:
                os.write(descriptor, value.encode("ascii"))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _refused(f"cannot write {value!r} to {self.path}/{file}", error) from error

    def read(self, file: str) -> str:
        """The text of one of its files. Raises KernelRefused."""
        try:
            return Path(f"{self.path}/{file}").read_text("utf-8")
        except OSError as error:
            raise _refused(f"cannot read {self.path}/{file}", error) from error

    def has(self, file: str) -> bool:
        """Whether it has that file."""
        return os.path.lexists(f"{self.path}/{file}")

    def cpus(self) -> list[str]:
        """The CPUs' folders in `per_cpu`. There are more: for CPUs that are not there."""
        online = Path("/sys/devices/system/cpu/online").read_text("ascii")
        found = []
        for part in online.strip().split(","):
            first, _, last = part.partition("-")
            found += [f"cpu{number}" for number in range(int(first), int(last or first) + 1)]
        return [cpu for cpu in found if self.has(f"per_cpu/{cpu}/trace_pipe_raw")]

    def open_pipe(self, cpu: str) -> int:
        """A descriptor that gives one CPU's pages, without waiting. Raises KernelRefused."""
        try:
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            return os.open(f"{self.path}/per_cpu/{cpu}/trace_pipe_raw", flags)
        except OSError as error:
            raise _refused(f"cannot read {self.path}/per_cpu/{cpu}", error) from error

    def open_marker(self) -> int:
        """A descriptor for marks among the events. Raises KernelRefused."""
        try:
            return os.open(f"{self.path}/trace_marker", os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _refused(f"cannot open {self.path}/trace_marker", error) from error

    def lost(self) -> int:
        """Events that did not find room since it was made, by the kernel's own count."""
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
