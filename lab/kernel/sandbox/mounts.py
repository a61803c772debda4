"""What is mounted in a mount namespace, and what of it programs have taken away.

Programs with CAP_SYS_ADMIN may. What they mount elsewhere, or set otherwise, is theirs to do.

Source: proc(5), /proc/pid/mountinfo; mount_namespaces(7).
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping

from lab.errors import printable
from lab.frozen import frozen

READ_BYTES = 1 << 16
MOUNTINFO = "/proc/self/mountinfo"


@frozen
class Mount:
    """One mount, at the place where the namespace's root has it."""

    parent: int
    """The id of the mount that it is mounted on."""
    point: str


def open_mounts() -> int:
    """A descriptor of this process's mount namespace, for `read_mounts` in any process.

    It shows the mounts of that namespace as they are when it is read, whoever reads, and whatever
    becomes of the process and of /proc.
    """
    return os.open(MOUNTINFO, os.O_RDONLY | os.O_CLOEXEC)


def read_mounts(descriptor: int) -> dict[int, Mount]:
    """The mounts as they are now, by their ids. Raises OSError."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = bytearray()
    while chunk := os.read(descriptor, READ_BYTES):
        text += chunk
    return parse_mounts(bytes(text))


def parse_mounts(text: bytes) -> dict[int, Mount]:
    """The mounts of a mountinfo file's text, by their ids."""
    rows = (line.split() for line in text.splitlines())
    return {int(row[0]): Mount(int(row[1]), _unescaped(row[4])) for row in rows}


def lost_mounts(before: Mapping[int, Mount], later: Mapping[int, Mount]) -> tuple[str, ...]:
    """What is not where it was any more `later`, in a few words each, fit for one line.

    What went with a mount that it was on, or lies hidden beneath it, is not said again.
    """
    covering = {mount.parent: mount.point for id, mount in later.items() if id not in before}
    words: dict[int, str] = {}
    for id, mount in before.items():
        now = later.get(id)
        if now is None:
            words[id] = f"{printable(mount.point)} was unmounted"
        elif now.point != mount.point:
            words[id] = f"{printable(mount.point)} was moved to {printable(now.point)}"
        elif covering.get(id) == mount.point:
            words[id] = f"another file system was mounted over {printable(mount.point)}"
    return tuple(
        sorted(text for id, text in words.items() if not _is_beneath(id, before, words.keys()))
    )


def _is_beneath(id: int, mounts: Mapping[int, Mount], others: Collection[int]) -> bool:
    """Whether the mount is, by way of any number of mounts, on one of the others."""
    seen = {id}
    while (parent := mounts[id].parent) in mounts and parent not in seen:
        if parent in others:
            return True
        seen.add(parent)
        id = parent
    return False


def _unescaped(path: bytes) -> str:
    """A path of mountinfo, where spaces and the like are written as octal numbers."""
    return os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), path))
