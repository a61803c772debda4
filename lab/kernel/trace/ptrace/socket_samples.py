"""Samples of the sockets behind a stopped process's descriptors: TCP states, unix queues.

A socket is sampled through a duplicate of its descriptor. The duplicate is closed before the
process goes on: while it is open, closing the descriptor would not end the connection.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import sys
import termios
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from lab.kernel.system.tcp import INFO_BYTES, STATES
from lab.kernel.trace.ptrace.descriptors import NO_SOCKET, PIDFD_GETFD, Descriptors, syscall

SOL_TCP, TCP_INFO = 6, 11
SIOCINQ, SIOCOUTQ = termios.FIONREAD, termios.TIOCOUTQ  # include/uapi/linux/sockios.h

CONNECTED = frozenset(
    map(
        STATES.index,
        ("ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "CLOSE_WAIT", "LAST_ACK", "CLOSING"),
    )
)
"""States in which a socket has both of its addresses, and keeps them until it is closed."""

Address = tuple[str, int]
"""An internet address and a port, 0 if there is none."""
Sample = tuple[int, str, str, str, int, str, int, int]
"""Time, socket, state, local and remote address and port, thread, as in lab.records.SocketState."""
QueueFacts = tuple[int, str, str, int, int]
"""The fields of a lab.records.QueueSample, in their order, without step."""
Closing = tuple[int, str, str, int, str, int, str, int | None, int | None, bytes]
"""Of a socket that is being closed: time, state, local and remote address and port, its name, bytes
to read and not acknowledged, None if unknown, and its struct tcp_info."""

_UNSPECIFIED: dict[int, Address] = {
    socket.AF_INET: ("0.0.0.0", 0),
    socket.AF_INET6: ("::", 0),
}
_AF_UNSPEC = bytes(2)
"""The family of the address by which connect(2) dissolves an association."""
_MAPPED = bytes(10) + b"\xff\xff"
"""The prefix of IPv4-mapped IPv6 addresses (RFC 4291, 2.5.5.2)."""
_NAME_BYTES = 128

_LIBC = ctypes.PyDLL(None, use_errno=True)
_getsockopt = _LIBC.getsockopt
_getsockopt.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_size_t, ctypes.c_size_t]
_getsockname, _getpeername = _LIBC.getsockname, _LIBC.getpeername
for _call in (_getsockname, _getpeername):
    _call.argtypes = [ctypes.c_int, ctypes.c_size_t, ctypes.c_size_t]


class Socket:
    """A socket, with the values of its last sample."""

    __slots__ = ("inode", "is_tcp", "local", "name", "remote", "state", "unix_type", "unread")

    def __init__(self, inode: int) -> None:
        self.inode = inode
        self.name = f"inode {inode}"
        self.is_tcp = True
        """False once a sample has shown that it is another kind."""
        self.state = 0
        self.local: Address | None = None
        self.remote: Address | None = None
        self.unix_type = ""
        """ "SOCK_STREAM" and so on, once a sample has shown that it is a unix socket."""
        self.unread = 0


class TakenSample(NamedTuple):
    """What the kernel has said of a TCP socket."""

    time_ns: int
    inode: int
    tid: int
    state: int
    connects_to: bytes | None
    """As in SocketSamples.sample."""
    local: bytes
    """The struct sockaddr of getsockname(2); b"" if it failed."""
    remote: bytes
    queues: tuple[int | None, int | None]
    info: bytes | None
    """The struct tcp_info of a socket that is about to be closed."""


def refusal() -> str:
    """Why the sockets of another process cannot be sampled; "" if they can."""
    if syscall(PIDFD_GETFD, -1, 0, 0) == -1 and ctypes.get_errno() != errno.EBADF:
        return f"pidfd_getfd: {errno.errorcode.get(ctypes.get_errno(), ctypes.get_errno())}"
    return ""


class SocketSamples:
    """Samples of the sockets of one program's processes."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.queues: list[QueueFacts] = []
        self.closings: dict[int, Closing] = {}
        """By the sockets' inodes, the last close of each."""
        self._sockets: dict[int, Socket] = {}
        # Written by the kernel through their addresses.
        self._info = (ctypes.c_ubyte * INFO_BYTES)()
        self._name = ctypes.create_string_buffer(_NAME_BYTES)
        self._length = ctypes.c_uint32()
        self._info_address = ctypes.addressof(self._info)
        self._name_address = ctypes.addressof(self._name)
        self._length_address = ctypes.addressof(self._length)

    def find(self, descriptors: Descriptors, tid: int, descriptor: int) -> Socket | None:
        """The socket behind a descriptor, or None if it is no socket or not open."""
        inode = descriptors.table.get(descriptor)
        if not inode:
            try:
                target = os.readlink(f"/proc/{tid}/fd/{descriptor}")  # noqa: PTH115 - a Path costs more
            except OSError:
                return None
            inode = int(target[8:-1]) if target.startswith("socket:[") else NO_SOCKET
            descriptors.table.put(descriptor, inode)
        return self.by_inode(inode) if inode != NO_SOCKET else None

    def by_inode(self, inode: int) -> Socket:
        """The socket of that inode."""
        found = self._sockets.get(inode)
        if found is None:
            found = self._sockets[inode] = Socket(inode)
        return found

    def sample(
        self,
        descriptors: Descriptors,
        tid: int,
        descriptor: int,
        sampled: Socket,
        connects_to: bytes | None = None,
    ) -> None:
        """Sample a socket that may be TCP's, and record it if it differs from its last sample.

        Its addresses are read if they may have changed: if its state has, or if `connects_to`
        (the struct sockaddr that connect(2) was given, or b"") is not None.
        """
        duplicate = descriptors.duplicate(descriptor)
        if duplicate < 0:
            return
        try:
            self._length.value = 1
            if _getsockopt(duplicate, SOL_TCP, TCP_INFO, self._info_address, self._length_address):
                sampled.is_tcp, sampled.unix_type = False, self._unix_type(duplicate)
                return
            state = self._info[0]
            if state != sampled.state or connects_to is not None:
                names = partial(self._names, duplicate)
                self._note(time.time_ns(), names, tid, sampled, state, connects_to or b"")
        finally:
            os.close(duplicate)

    def sample_closing(
        self, descriptors: Descriptors, tid: int, descriptor: int, sampled: Socket
    ) -> None:
        """Sample a socket that is about to be closed: its state, its queues and its TCP_INFO."""
        duplicate = descriptors.duplicate(descriptor)
        if duplicate < 0:
            return
        try:
            self._length.value = INFO_BYTES
            if _getsockopt(duplicate, SOL_TCP, TCP_INFO, self._info_address, self._length_address):
                sampled.is_tcp, sampled.unix_type = False, self._unix_type(duplicate)
                return
            state, info = self._info[0], bytes(self._info[: self._length.value])
            if state != sampled.state:
                names = partial(self._names, duplicate)
                self._note(time.time_ns(), names, tid, sampled, state, b"")
            queues = _waiting(duplicate, SIOCINQ), _waiting(duplicate, SIOCOUTQ)
            self._note_closing(time.time_ns(), sampled, state, queues, info)
        finally:
            os.close(duplicate)

    def sample_open(self, descriptors: Descriptors, tid: int) -> None:
        """The same of all TCP sockets that a process, which is about to end, has open."""
        for descriptor, inode in descriptors.table.sockets():
            sampled = self.by_inode(inode)
            if sampled.is_tcp:
                self.sample_closing(descriptors, tid, descriptor, sampled)

    def sample_queue(
        self, descriptors: Descriptors, tid: int, descriptor: int, sampled: Socket
    ) -> None:
        """Sample how many bytes a unix socket has to read; record it unless it was and is 0.

        That is the socket's own queue. What a program sends goes to the peer's queue, which
        cannot be read through any descriptor of this program.
        """
        duplicate = descriptors.duplicate(descriptor)
        if duplicate < 0:
            return
        try:
            answer = fcntl.ioctl(duplicate, SIOCINQ, bytes(4))
        except OSError:
            return  # one that listens has connections in its queue
        finally:
            os.close(duplicate)
        unread = int.from_bytes(answer, sys.byteorder)
        if unread or sampled.unread:
            sampled.unread = unread
            self.queues.append((time.time_ns(), sampled.name, sampled.unix_type, unread, tid))

    def take(self, taken: TakenSample) -> None:
        """Record a sample that stops.c has taken, as if it had been taken here."""
        sampled = self.by_inode(taken.inode)
        connects_to = taken.connects_to
        if taken.state != sampled.state or connects_to is not None:
            names = partial(_addresses, taken)
            place = taken.time_ns, names, taken.tid, sampled, taken.state, connects_to or b""
            self._note(*place)
        if taken.info is not None:
            self._note_closing(taken.time_ns, sampled, taken.state, taken.queues, taken.info)

    def _note(
        self,
        now_ns: int,
        names: Callable[[], tuple[Address | None, Address | None]],
        tid: int,
        sampled: Socket,
        state: int,
        connects_to: bytes,
    ) -> None:
        """Record the socket's state and addresses, if they are new.

        `names` asks for the local and the remote address.
        """
        local, remote = sampled.local, sampled.remote
        if sampled.state not in CONNECTED or local is None or remote is None:
            local, peer = names()
            if local is None:
                return
            remote = peer or _intended_peer(sampled, local, connects_to)
        if (state, local, remote) == (sampled.state, sampled.local, sampled.remote):
            return
        sampled.state, sampled.local, sampled.remote = state, local, remote
        self.samples.append((now_ns, sampled.name, STATES[state], *local, *remote, tid))

    def _note_closing(
        self,
        now_ns: int,
        sampled: Socket,
        state: int,
        queues: tuple[int | None, int | None],
        info: bytes,
    ) -> None:
        """Keep what a socket was that is being closed, if that is known in full."""
        local, remote = sampled.local, sampled.remote
        if local is not None and remote is not None and len(info) == INFO_BYTES:
            named = now_ns, STATES[state], *local, *remote, sampled.name
            self.closings[sampled.inode] = (*named, *queues, info)

    def _names(self, descriptor: int) -> tuple[Address | None, Address | None]:
        """The addresses that getsockname(2) and getpeername(2) return, None where one fails."""
        local = self._address(_getsockname, descriptor)
        return local, None if local is None else self._address(_getpeername, descriptor)

    def _unix_type(self, descriptor: int) -> str:
        """The type of a unix socket, as in socket(2); "" for another socket."""
        if self._option(descriptor, socket.SO_DOMAIN) != socket.AF_UNIX:
            return ""
        return socket.SocketKind(self._option(descriptor, socket.SO_TYPE)).name

    def _option(self, descriptor: int, option: int) -> int:
        """The value of an option of socket(7) that every socket has."""
        self._length.value = 4
        at, length = self._info_address, self._length_address
        if _getsockopt(descriptor, socket.SOL_SOCKET, option, at, length):
            return 0
        return int.from_bytes(self._info[:4], sys.byteorder)

    def _address(self, call: Callable[[int, int, int], int], descriptor: int) -> Address | None:
        """The address that getsockname(2) or getpeername(2) returns, or None if it fails."""
        self._length.value = _NAME_BYTES
        if call(descriptor, self._name_address, self._length_address):
            return None
        return address_of(self._name.raw[: self._length.value])


def _addresses(taken: TakenSample) -> tuple[Address | None, Address | None]:
    return address_of(taken.local), address_of(taken.remote)


def _waiting(descriptor: int, request: int) -> int | None:
    """How many bytes wait in a queue; None of a socket that listens. Source: tcp(7), SIOCINQ."""
    try:
        return int.from_bytes(fcntl.ioctl(descriptor, request, bytes(4)), sys.byteorder)
    except OSError:
        return None


def _intended_peer(sampled: Socket, local: Address, connects_to: bytes) -> Address:
    """The remote address of a socket without a peer: the one it connects to, or has had."""
    family = socket.AF_INET6 if ":" in local[0] else socket.AF_INET
    had = None if connects_to[:2] == _AF_UNSPEC else sampled.remote
    return address_of(connects_to) or had or _UNSPECIFIED[family]


def address_of(name: bytes) -> Address | None:
    """The internet address in a struct sockaddr, or None if it holds something else.

    An IPv4-mapped IPv6 address is returned as the IPv4 address. Source: ip(7), ipv6(7).
    """
    family, port = int.from_bytes(name[:2], sys.byteorder), int.from_bytes(name[2:4], "big")
    if family == socket.AF_INET and len(name) >= 8:
        return socket.inet_ntop(socket.AF_INET, name[4:8]), port
    if family == socket.AF_INET6 and len(name) >= 24:
        if name[8:20] == _MAPPED:
            return socket.inet_ntop(socket.AF_INET, name[20:24]), port
        return socket.inet_ntop(socket.AF_INET6, name[8:24]), port
    return None
