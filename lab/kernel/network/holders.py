"""Which processes of this pid namespace have which sockets open. Source: proc(5), /proc/pid/fd."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from lab.records import Holder

MOST_PROCESSES = 500
"""Of more, those that began first are looked at."""
_SOCKET = "socket:["


def read_holders() -> Mapping[int, tuple[Holder, ...]]:
    """By a socket's inode the processes that have it open, in the order of their pids.

    A process that ends meanwhile has none.
    """
    found: defaultdict[int, list[Holder]] = defaultdict(list)
    with os.scandir("/proc") as entries:
        pids = sorted(int(each.name) for each in entries if each.name.isdigit())
    for pid in pids[:MOST_PROCESSES]:
        with suppress(OSError):
            inodes = _sockets_of(pid)
            if inodes:
                command = Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").rstrip("\n")
                for inode in inodes:
                    found[inode].append(Holder(pid, command))
    return {inode: tuple(holders) for inode, holders in found.items()}


def _sockets_of(pid: int) -> set[int]:
    """The inodes of the sockets behind a process's descriptors. Raises OSError."""
    folder = f"/proc/{pid}/fd"
    found: set[int] = set()
    with os.scandir(folder) as entries:
        for each in entries:
            with suppress(OSError):
                target = os.readlink(each.path)  # noqa: PTH115  a Path costs more
                if target.startswith(_SOCKET):
                    found.add(int(target[len(_SOCKET) : -1]))
    return found
