"""The control group of a cell: limits that the kernel keeps of all its processes together.

Only a group with both controllers is taken, of memory and of processes: to enter one takes the
kernel some 10 ms. It is not reclaimed by the kernel; its name says
whose it is, and the next lab removes those of labs that are gone.

Source: cgroups(7), Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from lab.kernel.cells.limits import MIB
from lab.kernel.system.owner import Owner, has_ended, has_owner, owner
from lab.model.allowed import Limits
from lab.records import Limit

CONTROLLERS: tuple[str, ...] = ("memory", "pids")
SPARE_MIB = 8
"""For what the cell's init and the kernel take there themselves."""
REMOVE_S = 2.0
_NAME = re.compile(r"wirelab-(\d+)-(\d+)-(\d+)-cell-\d+")
_numbers = count(1)


class ControlGroup:
    """A group that has been made, and is entered by writing to it."""

    def __init__(self, path: Path, limits: Limits) -> None:
        """Make it. Raises OSError; then it is not there."""
        self.path = path
        self.keeps: tuple[Limit, ...] = ()
        """The limits that the kernel keeps there; none where it lacks the controllers."""
        path.mkdir()
        try:
            self._limit(limits)
            if (path / "cgroup.type").read_text("ascii") != "domain\n":
                # No process can enter it: a group above it is threaded.
                raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
            self._entrance = os.open(path / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            path.rmdir()
            raise

    def _limit(self, limits: Limits) -> None:
        """Set what its controllers have, which must be all of CONTROLLERS or none of them."""
        if not (self.path / "memory.max").exists():
            return
        # Files in the cell's folders are memory as well.
        memory = (limits.memory_mib + limits.disk_mib + SPARE_MIB) * MIB
        self._write("memory.max", memory)
        self._write("pids.max", limits.processes + 1)
        self._write("memory.oom.group", 1)
        self.keeps = (Limit.MEMORY, Limit.PROCESSES)
        with suppress(FileNotFoundError):  # a kernel without swapping has none
            self._write("memory.swap.max", 0)

    def enter(self) -> None:
        """Move this process into it. Raises OSError."""
        os.write(self._entrance, b"0")

    def cpu_s(self) -> float:
        """The processors' time that all processes took that ever were in it. Raises OSError."""
        return self._counted("cpu.stat", "usage_usec") / 1e6

    @property
    def has_lacked_memory(self) -> bool:
        """Whether the kernel has ended it for want of memory. Raises OSError."""
        return Limit.MEMORY in self.keeps and self._counted("memory.events", "oom_kill") > 0

    def remove(self) -> None:
        """Remove it, once nothing is in it any more; what cannot be removed is left to `sweep`."""
        os.close(self._entrance)
        deadline = time.monotonic() + REMOVE_S
        while True:
            try:
                self.path.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                # EBUSY: a process of it is about to be gone.
                if time.monotonic() > deadline:
                    return
                time.sleep(0.001)
            else:
                return

    def _write(self, name: str, value: int) -> None:
        (self.path / name).write_text(str(value), "ascii")

    def _counted(self, name: str, key: str) -> int:
        for line in (self.path / name).read_text("ascii").splitlines():
            word, value = line.split()
            if word == key:
                return int(value)
        return 0


def open_control_group(
    limits: Limits, wanted: Collection[str] | None = None
) -> ControlGroup | None:
    """A new group with the `wanted` controllers; those of CONTROLLERS, unless others are wanted.

    None where none can be had, which is found by trying. For root, whose groups can be
    distinguished from those of a lab that is gone.
    """
    if not has_owner():
        return None
    needed = {*(CONTROLLERS if wanted is None else wanted)}
    for parent in parents(Path("/proc/self")):
        try:
            if not needed <= {*(parent / "cgroup.subtree_control").read_text("ascii").split()}:
                continue
            sweep(parent)
            return ControlGroup(parent / owner().name(f"cell-{next(_numbers)}"), limits)
        except OSError:
            continue
    return None


def parents(process: Path) -> Iterator[Path]:
    """Folders where groups may be made: the process's own group, and those above it."""
    mounted = _mounted((process / "mountinfo").read_text("utf-8", "surrogateescape"))
    own = _own((process / "cgroup").read_text("utf-8", "surrogateescape"))
    if mounted is None or own is None:
        return
    folder = mounted / own.lstrip("/")
    while True:
        yield folder
        if folder == mounted:
            return
        folder = folder.parent


def _mounted(mountinfo: str) -> Path | None:
    """Where the second version is mounted; None where it is not, or not whole."""
    for line in mountinfo.splitlines():
        fields, _, kinds = line.partition(" - ")
        if kinds.startswith("cgroup2 ") and fields.split()[3] == "/":
            return Path(fields.split()[4])
    return None


def _own(cgroups: str) -> str | None:
    """The process's group of the second version; None where it is beyond what is mounted."""
    for line in cgroups.splitlines():
        number, _, path = line.partition("::")
        if number == "0" and not path.startswith("/.."):
            return path
    return None


def sweep(parent: Path) -> None:
    """Remove the groups of labs that are gone. Raises OSError where the folder cannot be read.

    Those of other pid namespaces are left alone, and those that somebody is still in.
    """
    for name in os.listdir(parent):  # noqa: PTH208  a Path for each costs ten times as much
        found = _NAME.fullmatch(name)
        if found is not None and has_ended(Owner(*map(int, found.groups()))):
            with suppress(OSError):
                (parent / name).rmdir()
