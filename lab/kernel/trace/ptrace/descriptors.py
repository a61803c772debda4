"""Which sockets a traced process's descriptors are, as far as its calls have shown."""

from __future__ import annotations

import ctypes
import os

PIDFD_GETFD = 438  # on every machine
NEAR = 1024
"""So many descriptors have a place of their own, which stops.c knows as well."""
NO_SOCKET = (1 << 64) - 1
"""In place of an inode: the descriptor is another file."""

syscall = ctypes.PyDLL(None, use_errno=True).syscall
"""syscall(number, three arguments): -1 if it failed."""
syscall.argtypes = [ctypes.c_long] * 4
syscall.restype = ctypes.c_long


class DescriptorTable:
    """The inodes behind descriptors: 0 if unknown, NO_SOCKET of another file."""

    __slots__ = ("_far", "_near", "address")

    def __init__(self) -> None:
        self._near = (ctypes.c_uint64 * NEAR)()
        self._far: dict[int, int] = {}
        self.address = ctypes.addressof(self._near)

    def get(self, descriptor: int) -> int:
        """What is known of a descriptor."""
        return self._near[descriptor] if descriptor < NEAR else self._far.get(descriptor, 0)

    def put(self, descriptor: int, inode: int) -> None:
        """Note what a descriptor is; 0 forgets it."""
        if descriptor < NEAR:
            self._near[descriptor] = inode
        elif inode:
            self._far[descriptor] = inode
        else:
            self._far.pop(descriptor, None)

    def clear(self) -> None:
        """Forget all."""
        ctypes.memset(self.address, 0, ctypes.sizeof(self._near))
        self._far.clear()

    def sockets(self) -> list[tuple[int, int]]:
        """The descriptors that are sockets, with those's inodes."""
        known = [*enumerate(self._near), *self._far.items()]
        return [(number, inode) for number, inode in known if inode and inode != NO_SOCKET]


class Descriptors:
    """A process's descriptors.

    A descriptor is forgotten when it is closed: every call that closes one stops its thread.
    """

    __slots__ = ("_pidfd", "table", "tgid")

    def __init__(self, tgid: int) -> None:
        self.tgid = tgid
        self.table = DescriptorTable()
        self._pidfd = -1

    def share(self, other: Descriptors) -> None:
        """Share the table of another process (clone(2), CLONE_FILES)."""
        self.table = other.table

    def forget(self, descriptor: int) -> None:
        """Forget a descriptor that is being closed, or is new."""
        self.table.put(descriptor, 0)

    def forget_all(self) -> None:
        """Forget all: any may have been closed."""
        self.table.clear()

    def leave(self) -> None:
        """Leave a shared table: execve(2) gives the process a table of its own."""
        self.table = DescriptorTable()

    def pidfd(self) -> int:
        """A pidfd of the process, or -1 if it has ended."""
        if self._pidfd < 0:
            try:
                self._pidfd = os.pidfd_open(self.tgid)
            except OSError:
                return -1
        return self._pidfd

    def duplicate(self, descriptor: int) -> int:
        """A new descriptor of this process for the same file, or -1 if that fails."""
        pidfd = self.pidfd()
        if pidfd < 0:
            return -1
        duplicate: int = syscall(PIDFD_GETFD, pidfd, descriptor, 0)
        return duplicate

    def close(self) -> None:
        """Free what is held of the process, which has ended."""
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
