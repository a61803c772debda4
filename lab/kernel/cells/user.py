"""Whose a cell's processes are: a uid that nobody else has, or a user namespace around one's own.

Source: user_namespaces(7), credentials(7); of uids that nobody hands out: systemd's "Users, Groups,
UIDs and GIDs".
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

from lab.errors import KernelRefused
from lab.frozen import frozen
from lab.kernel.system import libc
from lab.kernel.system.capabilities import become_user, has_capabilities

FREE = range(0x70000000, 0x7F000000)
"""Uids that neither distributions nor systemd, nor what maps ranges of them to containers, use."""


@frozen
class CellUser:
    """The user of one cell."""

    uid: int
    gid: int
    is_own: bool
    """Whether no other process has that uid; else the cell has a user namespace of its own."""

    def become(self, namespace: int | None) -> None:
        """Make this process that user's, without any capability outside. Raises OSError.

        `namespace` is what `enclosed` returned. Raises KernelRefused.
        """
        if self.is_own:
            become_user(self.uid, self.gid, ())
        elif namespace is not None:
            libc.setns(namespace, libc.CLONE_NEWUSER, "cannot enter a cell's user namespace")

    def enclosed(self) -> int | None:
        """A descriptor of a user namespace for the cell, where it needs one. Raises KernelRefused.

        It is made by a child: this process keeps its own. Its processes are counted there alone
        (RLIMIT_NPROC), since Linux 5.14.
        """
        if self.is_own:
            return None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        child = os.fork()
        if child == 0:
            self._answer(theirs)
        theirs.close()
        said, descriptors, _, _ = socket.recv_fds(ours, 4096, 1)
        ours.close()
        os.waitpid(child, 0)
        if not descriptors:
            raise KernelRefused(said.decode() or "the process that makes a user namespace died")
        return descriptors[0]

    def _answer(self, channel: socket.socket) -> None:
        """Make the namespace and send its descriptor, or why there is none. It never returns."""
        said, descriptors = b"made", []
        try:
            libc.unshare(libc.CLONE_NEWUSER, "cannot create a user namespace for a cell")
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{self.uid} {self.uid} 1")
            Path("/proc/self/gid_map").write_text(f"{self.gid} {self.gid} 1")
            descriptors = [os.open("/proc/self/ns/user", os.O_RDONLY | os.O_CLOEXEC)]
        except (OSError, KernelRefused) as error:
            said = str(error).encode()[:4096]
        finally:
            with suppress(OSError):
                socket.send_fds(channel, [said], descriptors)
            os._exit(0)


def cell_user() -> CellUser:
    """A user for one more cell."""
    if has_capabilities("CAP_SETUID", "CAP_SETGID", "CAP_CHOWN") and _are_mapped(FREE):
        uid = FREE.start + int.from_bytes(os.urandom(8), "little") % len(FREE)
        return CellUser(uid, uid, is_own=True)
    return CellUser(os.geteuid(), os.getegid(), is_own=False)


def _are_mapped(uids: range) -> bool:
    """Whether processes of this user namespace can have these uids and gids."""
    return all(_is_in_map(uids, Path("/proc/self", name)) for name in ("uid_map", "gid_map"))


def _is_in_map(ids: range, map_file: Path) -> bool:
    rows = (tuple(map(int, line.split())) for line in map_file.read_text("ascii").splitlines())
    return any(first <= ids[0] and ids[-1] < first + count for first, _, count in rows)
