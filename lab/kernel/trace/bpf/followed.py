"""Who is traced: the processes of one pid namespace that have begun since it is followed.

Those of pid namespaces made inside it are among them; the sandbox's init, and the lab's other
processes in it, have begun before.
"""

from __future__ import annotations

import os
import struct
import time

from lab.kernel.trace.bpf import bpf
from lab.kernel.trace.bpf.bpf import MapType

_VALUE = struct.Struct("=QQQQ")
INODE_AT, SINCE_AT, DEPTH_AT, ADDRESS_AT = 0, 8, 16, 24
"""The value of the map: the namespace's inode (0: nobody is traced); since when a process must have
begun, by CLOCK_MONOTONIC; and what the programs find out and keep there: how deep the namespace
lies, plus 1, and its address in the kernel."""


def own_pid_namespace() -> int:
    """The inode of this process's."""
    return os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116


class FollowedNamespace:
    """The map that says so, for all programs."""

    def __init__(self) -> None:
        """Nobody is yet. Raises KernelRefused."""
        self.map = bpf.create_map(MapType.ARRAY, 4, _VALUE.size, 1, "wirelab_inside")

    def follow(self, namespace: int) -> None:
        """Trace that one from now on, by its inode, and no other. Raises KernelRefused."""
        bpf.write_value(self.map, _VALUE.pack(namespace, time.monotonic_ns(), 0, 0))

    def forget(self) -> None:
        """Trace nobody. Raises KernelRefused."""
        bpf.write_value(self.map, bytes(_VALUE.size))

    def close(self) -> None:
        """Close the map; the programs that use it keep it."""
        os.close(self.map)
