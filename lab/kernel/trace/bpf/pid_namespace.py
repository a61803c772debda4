"""A pid namespace, as the kernel's BPF helpers name it: whose calls are traced."""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

LAYOUT = struct.Struct("=QQ")
"""As the value of a map, which the programs read: device, inode."""


class PidNamespace(NamedTuple):
    """By its file in /proc/PID/ns."""

    device: int
    """As the kernel numbers it."""
    inode: int

    def packed(self) -> bytes:
        """By LAYOUT."""
        return LAYOUT.pack(*self)


NOWHERE = PidNamespace(0, 0)
"""No process is in it."""


def own_pid_namespace() -> PidNamespace:
    """That of this process."""
    found = os.stat("/proc/self/ns/pid")  # noqa: PTH116
    return PidNamespace(os.major(found.st_dev) << 20 | os.minor(found.st_dev), found.st_ino)
