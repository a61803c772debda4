"""System calls, and the processes that made them."""

from __future__ import annotations

from typing import Annotated, Literal

from lab.frozen import frozen

MEMORY_LIMIT_BYTES = 128
"""The most that is kept of what one pointer of a system call points to."""

Unsigned64 = Annotated[int, range(1 << 64)]

TaskKind = Literal["start", "exec", "exit"]


@frozen
class Memory:
    """The first bytes of what an argument of a system call pointed to."""

    argument: int
    """The argument's place, from 0."""
    part: str
    """"" for what the pointer points to; of a struct msghdr its "name", "data" or "control"."""
    at_exit: bool
    """Whether it was read when the call returned; else when it was made."""
    data: bytes
    """At most MEMORY_LIMIT_BYTES."""
    length: int
    """How long the whole is, as the call's arguments or its result say."""


@frozen
class RingUse:
    """What a call has to do with a ring of io_uring(7)."""

    ring: int
    """Which of the run's rings, from 1; 0 if unknown."""
    operation: str = ""
    """The operation that the call is, for it is none of its own: "send", as liburing names it; ""
    of the calls that make rings, enter them and register files."""
    is_fixed: bool = False
    """Whether its descriptor is a place among the ring's registered files."""
    place: int | None = None
    """Of an operation that puts what it makes there: its place. Else None."""
    is_provided: bool = False
    """Whether it received into one of the buffers that the program gave to the ring beforehand:
    into which, how long that is and what it held was not read."""
    is_whole: bool = True
    """Whether its arguments and its result say what it did. If not, its name is none of a call."""
    socket: str = ""
    """The kernel's name for its socket as TCP states have it ("sk ffff888101ae5a00"); "" if
    unknown."""


@frozen
class Syscall:
    """One system call of a program, as it was made. Nothing of it is decoded.

    Or one completion of an operation in a ring of io_uring(7), as the call that does the same: it
    begins when it is submitted, or completed the time before, and ends when it is completed.
    """

    program: str
    pid: int
    """The process: its number in the sandbox's pid namespace, if the instrument has that."""
    tid: int
    name: str
    """As in its man page's heading: "sendto"."""
    arguments: tuple[Unsigned64, ...]
    """As many as the call has."""
    memory: tuple[Memory, ...]
    """Empty where the instrument cannot read it."""
    entry_ns: int
    """Before anything that it did."""
    exit_ns: int | None
    """After everything that it did; None where it had not returned."""
    result: int | None
    """What it returned; -ERRNO where it failed."""
    socket: str = ""
    """The kernel's own name for the socket behind its descriptor ("inode 4026"); "" if
    unknown."""
    step: str = ""
    ring: RingUse | None = None
    """None where it has nothing to do with a ring, or where rings are not followed."""


@frozen
class TaskEvent:
    """A process or thread of a program beginning, ending, or becoming another program."""

    time_ns: int
    program: str
    kind: TaskKind
    pid: int
    tid: int
    parent_tid: int = 0
    """Of a start: the thread that made it; 0 for the program's first."""
    shares_files: bool = False
    """Of a start: whether it shares the table of descriptors (clone(2), CLONE_FILES)."""
    step: str = ""
