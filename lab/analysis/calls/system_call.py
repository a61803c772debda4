"""A program's system calls, decoded (records)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.options import Option
from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.model.address import EndpointAddress
    from lab.model.event import EventId
    from lab.records import RingUse

_INT = 0xFFFFFFFF
"""The bits of a register that a parameter of C's type int has."""


@frozen
class Argument:
    """One argument of a call."""

    name: str
    """As in the call's man page: "sockfd"."""
    text: str
    """Its value decoded, as strace would show it."""
    number: int = 0
    """The value itself, unsigned."""
    is_pointer: bool = False
    """Whether the text is the pointer, or NULL: what it points to was not read."""
    family: int | None = None
    """Of a socket address that was read: its family."""
    address: EndpointAddress | None = None
    """The socket address; None where it is none, or names no place."""
    value: bytes | None = None
    """Of a socket option or a socket address its bytes, of a struct msghdr those of its control
    messages, as they were read; else None."""
    length: int | None = None
    """Of a struct msghdr how many bytes its control messages have, of which `value` may hold the
    first alone; None where none were read, and of others."""


@frozen
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
    """Id of the socket or pipe it acts upon ("s3"); "" if unknown."""
    made: tuple[str, ...] = ()
    """Ids of the sockets or pipe ends that it returned, in the order of its descriptors."""
    lengths: tuple[int, ...] | None = None
    """Of sendmmsg(2) and recvmmsg(2): the bytes of each message that it moved. None where they
    were not all read, and of other calls."""
    flags: str = ""
    """Its result by names where it is flags: "O_RDWR|O_NONBLOCK", of fcntl(F_GETFL)."""
    ring: RingUse | None = None
    """What it has to do with a ring of io_uring(7); an operation in it is named as the call that
    does the same. None where it has nothing to do with one."""

    def argument(self, name: str) -> Argument | None:
        """The argument of that name; None where the call has none."""
        return next((each for each in self.arguments if each.name == name), None)

    @property
    def option(self) -> Option | None:
        """The socket option that it sets or asks for; None where it is about none."""
        level, number = self.number("level"), self.number("optname")
        if level is None or number is None:
            return None
        return Option(level & _INT, number & _INT)

    @property
    def option_value(self) -> int | None:
        """That option's value where it is a whole number; None where it was not read."""
        found = self.argument("optval")
        value = None if found is None else found.value
        return int.from_bytes(value[:4], "little", signed=True) if value else None

    def number(self, name: str) -> int | None:
        """The value of the argument of that name; None where the call has none."""
        found = self.argument(name)
        return None if found is None else found.number

    @property
    def title(self) -> str:
        """What to call it: "sendto"; of an operation in a ring "io_uring send"."""
        is_operation = self.ring is not None and self.ring.operation
        return f"io_uring {self.ring.operation}" if self.ring and is_operation else self.name

    @property
    def text(self) -> str:
        """The call without its result: "send(3, 'Hello. ', 7, 0)"."""
        return f"{self.title}({', '.join(argument.text for argument in self.arguments)})"

    @property
    def returned(self) -> str:
        """Its result as strace shows it: "7", "-1 ECONNREFUSED", "0x2 (O_RDWR)", "?"."""
        if self.result is None:
            return "?"
        if self.flags:
            return f"{self.result:#x} ({self.flags})"
        return f"{self.result} {self.error}" if self.error else str(self.result)
