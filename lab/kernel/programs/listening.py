"""Which sockets of a namespace can be reached: TCP listening, UDP bound, unix with a name.

Read by sock_diag(7), or from /proc/net (proc(5)) if the kernel lacks it for a kind of socket.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import field, replace
from pathlib import Path, PurePath

from lab.frozen import frozen
from lab.kernel.netlink.unix_diag import read_unix_sockets
from lab.kernel.network.inet_diag import read_inet_sockets
from lab.kernel.network.namespace import Namespace
from lab.kernel.system.tcp import TCP_CLOSE, TCP_LISTEN
from lab.model.program import Listening
from lab.records import Instrument, InstrumentKind, Obtained

_STATES = {"tcp": (socket.IPPROTO_TCP, TCP_LISTEN), "udp": (socket.IPPROTO_UDP, TCP_CLOSE)}

BY_SOCK_DIAG = Instrument(InstrumentKind.LISTENING_SOCKETS, Obtained.SAMPLED, 0, "sock_diag")
BY_PROC = replace(BY_SOCK_DIAG, text="/proc/net, this kernel's sock_diag lacks a part")

_ACCEPTS = 0x10000  # __SO_ACCEPTCON in the flags of /proc/net/unix


@frozen
class Reachable:
    """A socket that can be reached."""

    inode: int
    port: int | None
    """None for a unix socket."""
    name: str
    """The path of a unix socket, or "@" and its abstract name."""
    protocol: str
    """ "tcp", "udp" or "unix"."""

    device: tuple[int, int] | None = field(default=None, compare=False)
    """Major and minor number of the device that a unix socket's file is on; None if unknown."""
    file_inode: int = field(default=0, compare=False)

    def is_wanted(self, wanted: Listening, file: os.stat_result | None = None) -> bool:
        """Whether it is the socket that a program is expected to open, whose file that is.

        A program binds a path relative to its folder by another name than others know it by.
        """
        if wanted.path:
            return self.name == wanted.path or (file is not None and self._has_file(wanted, file))
        return self.port is not None and wanted.port in (None, self.port)

    def _has_file(self, wanted: Listening, file: os.stat_result) -> bool:
        if self.device is None:
            # /proc/net/unix has the name alone.
            return bool(self.name) and wanted.path.endswith(f"/{PurePath(self.name)}")
        device = os.major(file.st_dev), os.minor(file.st_dev)
        return self.device == device and self.file_inode == file.st_ino & 0xFFFFFFFF


class ListeningWatch:
    """Finds the sockets that have appeared in a namespace since this was made."""

    def __init__(self, namespace: Namespace, wanted: Listening) -> None:
        """Remember the sockets that exist now. Raises KernelRefused."""
        self._namespace = namespace
        self._wanted = wanted
        self.instrument = BY_SOCK_DIAG
        self.root = ""
        """The root of the program's files, by which a socket is the one of the wanted path though
        it was bound by another name of it."""
        self._before = self._matching()

    def has_appeared(self) -> bool:
        """Whether a wanted socket has appeared. Raises KernelRefused."""
        return bool(self._matching() - self._before)

    def udp_ports(self) -> tuple[int, ...]:
        """The UDP ports that have appeared; () if a TCP or unix socket has, too."""
        new = self._matching() - self._before
        if any(each.protocol != "udp" for each in new):
            return ()
        return tuple(sorted({each.port for each in new if each.port is not None}))

    def _matching(self) -> frozenset[Reachable]:
        with self._namespace.entered():
            found = _read_unix() if self._wanted.path else _read_inet()
            if found is None:
                self.instrument = BY_PROC
                found = list(_unix_in_proc() if self._wanted.path else _inet_in_proc())
            file = self._file()
        return frozenset(each for each in found if each.is_wanted(self._wanted, file))

    def _file(self) -> os.stat_result | None:
        """The file of the wanted unix socket; None if it has none, or not yet."""
        path = self._wanted.path
        for root in (self.root, "") if path.startswith("/") else ():
            with suppress(OSError):
                return Path(f"{root}{path}").stat()
        return None


def _read_unix() -> list[Reachable] | None:
    sockets = read_unix_sockets()
    if sockets is None:
        return None
    return [
        Reachable(
            seen.inode,
            None,
            seen.name if seen.is_path else f"@{seen.name}",
            "unix",
            seen.device,
            seen.file_inode,
        )
        for seen in sockets
        if seen.name and (seen.state == TCP_LISTEN or seen.kind == socket.SOCK_DGRAM)
    ]


def _read_inet() -> list[Reachable] | None:
    """TCP and UDP sockets, or None without inet_diag (CONFIG_INET_DIAG, CONFIG_INET_UDP_DIAG).

    Source: sock_diag(7), linux/inet_diag.h.
    """
    found: list[Reachable] = []
    for name, (protocol, state) in _STATES.items():
        sockets = read_inet_sockets(protocol, 1 << state)
        if sockets is None:
            return None
        found += (
            Reachable(each.inode, each.local_port, "", name) for each in sockets if each.local_port
        )
    return found


def _inet_in_proc() -> Iterator[Reachable]:
    for protocol, (_, wanted) in _STATES.items():
        for table in (protocol, f"{protocol}6"):
            for line in _lines_of(table):
                words = line.split()
                local, state, inode = words[1], int(words[3], 16), int(words[9])
                if state == wanted and (port := int(local.rpartition(":")[2], 16)):
                    yield Reachable(inode, port, "", protocol)


def _unix_in_proc() -> Iterator[Reachable]:
    for line in _lines_of("unix"):
        words = line.split(None, 7)
        is_reachable = int(words[3], 16) & _ACCEPTS or int(words[4], 16) == socket.SOCK_DGRAM
        if is_reachable and len(words) == 8:
            yield Reachable(int(words[6]), None, words[7], "unix")


def _lines_of(table: str) -> list[str]:
    """The table's lines without its heading; [] if the kernel has no such table (no IPv6)."""
    try:
        table_bytes = (Path("/proc/thread-self/net") / table).read_bytes()
    except FileNotFoundError:
        return []
    return os.fsdecode(table_bytes).splitlines()[1:]
