"""A program's system calls, decoded, and the sockets and pipes that they act upon (records)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.model.event import EventId


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call."""

    name: str
    """As in the call's man page: "sockfd"."""
    text: str
    """Its value decoded, as strace would show it."""


@dataclass(frozen=True, slots=True)
class SystemCall:
    """One system call, decoded."""

    id: EventId
    """What evidence names it by: "client#4", the program's fourth, counted in order of entry."""
    program: str
    host: str
    pid: int
    tid: int
    name: str
    arguments: tuple[Argument, ...]
    entry_ns: int
    exit_ns: int | None
    """None where it had not returned when its program ended."""
    result: int | None
    """-1 where it failed."""
    error: str
    """The errno's name where it failed; "" else."""
    data: bytes
    """The first bytes that it sent or received; empty where none were read from memory."""
    moved: int
    """How many bytes it sent or received: its result for the calls that do, else 0."""
    descriptor: int | None
    """The descriptor it was called on, of splice's two the socket's; None where it has none."""
    socket: str
    """Id of the socket or pipe it acts upon ("s3"); "" where that is not known."""
    made: tuple[str, ...] = ()
    """Ids of the sockets or pipe ends that it returned, in the order of its descriptors."""
    flags: str = ""
    """Its result by names where it is flags: "O_RDWR|O_NONBLOCK", of fcntl(F_GETFL)."""

    @property
    def text(self) -> str:
        """The call without its result: "send(3, 'Hello. ', 7, 0)"."""
        return f"{self.name}({', '.join(argument.text for argument in self.arguments)})"

    @property
    def returned(self) -> str:
        """Its result as strace shows it: "7", "-1 ECONNREFUSED", "0x2 (O_RDWR)", "?"."""
        if self.result is None:
            return "?"
        if self.flags:
            return f"{self.result:#x} ({self.flags})"
        return f"{self.result} {self.error}" if self.error else str(self.result)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A socket or one end of a pipe, as one step's calls used it."""

    id: str
    """ "s1" and so on, in the order in which they were made in the step."""
    program: str
    """Which program made it."""
    host: str
    domain: str
    """ "AF_INET", "AF_UNIX" …; "pipe" for a pipe's end."""
    type: str
    """ "SOCK_STREAM" …; of a pipe "read" or "write"."""
    protocol: str
    """ "tcp", "udp", "unix", "pipe", or the protocol's number."""
    local: str
    """Its address: "198.51.100.1:40858", "[2001:db8::1]:4242", a path, "@" and an abstract
    name; "" where it has none or none is known."""
    remote: str
    """Its peer's address, where it is connected."""
    listening: bool
    made_by: EventId
    """The call that made it."""
    listener: str = ""
    """Of an accepted socket: the id of the socket that listened."""
    peer: str = ""
    """Id of the endpoint at the other end, where both are the step's programs'."""
    flow: str = ""
    """The flow on the wire that is its own: "tcp 0"; "" where there is none or several."""
