"""The system calls that are traced: their arguments, and what their pointers point to.

Instruments read memory by this table, and the analysis decodes it by the same table. Names are
those of the man pages (section 2).
"""

from __future__ import annotations

import enum

from lab.frozen import frozen
from lab.records import MEMORY_LIMIT_BYTES
from lab.syscalls.i386 import I386_NUMBERS


class Size(enum.Enum):
    """What gives the length of what a pointer points to."""

    ARGUMENT = "argument"
    """The argument numbered `number`."""
    RESULT = "result"
    """The call's result, times `number`."""
    VALUE_RESULT = "pointer_argument"
    """The u32 that the argument numbered `number` points to: a socklen_t * that gives the room
    before the call and the length after it (accept(2))."""
    FIXED = "fixed"
    """`number` bytes."""
    ITEMS = "items"
    """The argument after the pointer, times `number`."""


class Layout(enum.Enum):
    """What a pointer points to."""

    BYTES = "bytes"
    IOVEC = "iovec"
    """struct iovec[]: the bytes of its buffers are read, one after another. The next argument is
    their number; their length is the sum of the iov_len, at the exit the call's result."""
    MSGHDR = "msghdr"
    """struct msghdr: its msg_name, the bytes of its msg_iov and its msg_control are read, as
    parts "name", "data" and "control". At the exit the data's length is the call's result."""
    MMSGHDR = "mmsghdr"
    """struct mmsghdr[], of which as many have been sent or received as the call returns: the
    msg_len of each of these is read, a u32, one after another (sendmmsg(2)). What the messages say
    is not read."""


@frozen
class Pointer:
    """One pointer among a call's arguments. Nothing is read if it is null."""

    argument: int
    """Its index, from 0."""
    at_exit: bool
    """Whether the kernel fills it: then it is read at the exit of calls that succeed."""
    layout: Layout
    size: Size = Size.FIXED
    number: int = 0


@frozen
class CallShape:
    """One system call."""

    arguments: tuple[str, ...]
    """The arguments' names."""
    descriptor: int | None
    """Index of the descriptor that it acts on, or None if there is none."""
    pointers: tuple[Pointer, ...] = ()


def _in(argument: int, length: int) -> Pointer:
    """Bytes read by the kernel, as many as another argument says."""
    return Pointer(argument, False, Layout.BYTES, Size.ARGUMENT, length)


def _out(argument: int) -> Pointer:
    """Bytes written by the kernel, as many as the call returns."""
    return Pointer(argument, True, Layout.BYTES, Size.RESULT, 1)


def _sized(argument: int, length: int) -> Pointer:
    """Bytes written by the kernel, as many as a value-result argument says."""
    return Pointer(argument, True, Layout.BYTES, Size.VALUE_RESULT, length)


def _pair(argument: int) -> Pointer:
    """The two descriptors that the kernel writes."""
    return Pointer(argument, True, Layout.BYTES, Size.FIXED, 8)


_POLLFDS = Pointer(0, True, Layout.BYTES, Size.ITEMS, 8)
_EPOLL_EVENT_IN = Pointer(3, False, Layout.BYTES, Size.FIXED, 16)
_EPOLL_EVENTS = Pointer(1, True, Layout.BYTES, Size.RESULT, 16)
"""struct epoll_event has 12 bytes on x86, 16 elsewhere: the first 12 or 16 of these."""

MMSGHDR_BYTES, MSG_LEN_AT, MSG_LEN_BYTES = 64, 56, 4
"""A struct mmsghdr is a struct msghdr of 56 bytes, msg_len and padding."""

MOST_MESSAGES = MEMORY_LIMIT_BYTES // MSG_LEN_BYTES
"""The most messages of a call whose lengths are read; the kernel takes up to 1024 (UIO_MAXIOV)."""

_MMSGHDRS = Pointer(1, True, Layout.MMSGHDR)

_ADDRESS = ("sockfd", "addr", "addrlen")
_VECTOR = ("fd", "iov", "iovcnt", "pos_l", "pos_h", "flags")
"""Of a position of -1 these two move bytes as readv(2) and writev(2) do, of sockets too."""
_OPTION = ("sockfd", "level", "optname", "optval", "optlen")

CALLS: dict[str, CallShape] = {
    "socket": CallShape(("domain", "type", "protocol"), None),
    "socketpair": CallShape(("domain", "type", "protocol", "sv"), None, (_pair(3),)),
    "bind": CallShape(_ADDRESS, 0, (_in(1, 2),)),
    "listen": CallShape(("sockfd", "backlog"), 0),
    "accept": CallShape(_ADDRESS, 0, (_sized(1, 2),)),
    "accept4": CallShape((*_ADDRESS, "flags"), 0, (_sized(1, 2),)),
    "connect": CallShape(_ADDRESS, 0, (_in(1, 2),)),
    "getsockname": CallShape(_ADDRESS, 0, (_sized(1, 2),)),
    "getpeername": CallShape(_ADDRESS, 0, (_sized(1, 2),)),
    "sendto": CallShape(
        ("sockfd", "buf", "len", "flags", "dest_addr", "addrlen"), 0, (_in(1, 2), _in(4, 5))
    ),
    "recvfrom": CallShape(
        ("sockfd", "buf", "len", "flags", "src_addr", "addrlen"), 0, (_out(1), _sized(4, 5))
    ),
    "sendmsg": CallShape(("sockfd", "msg", "flags"), 0, (Pointer(1, False, Layout.MSGHDR),)),
    "recvmsg": CallShape(("sockfd", "msg", "flags"), 0, (Pointer(1, True, Layout.MSGHDR),)),
    "sendmmsg": CallShape(("sockfd", "msgvec", "vlen", "flags"), 0, (_MMSGHDRS,)),
    "recvmmsg": CallShape(("sockfd", "msgvec", "vlen", "flags", "timeout"), 0, (_MMSGHDRS,)),
    "setsockopt": CallShape(_OPTION, 0, (_in(3, 4),)),
    "getsockopt": CallShape(_OPTION, 0, (_sized(3, 4),)),
    "shutdown": CallShape(("sockfd", "how"), 0),
    "read": CallShape(("fd", "buf", "count"), 0, (_out(1),)),
    "write": CallShape(("fd", "buf", "count"), 0, (_in(1, 2),)),
    "readv": CallShape(("fd", "iov", "iovcnt"), 0, (Pointer(1, True, Layout.IOVEC),)),
    "writev": CallShape(("fd", "iov", "iovcnt"), 0, (Pointer(1, False, Layout.IOVEC),)),
    "preadv2": CallShape(_VECTOR, 0, (Pointer(1, True, Layout.IOVEC),)),
    "pwritev2": CallShape(_VECTOR, 0, (Pointer(1, False, Layout.IOVEC),)),
    "sendfile": CallShape(("out_fd", "in_fd", "offset", "count"), 0),
    "splice": CallShape(("fd_in", "off_in", "fd_out", "off_out", "len", "flags"), 0),
    "close": CallShape(("fd",), 0),
    "close_range": CallShape(("first", "last", "flags"), None),
    "dup": CallShape(("oldfd",), 0),
    "dup2": CallShape(("oldfd", "newfd"), 0),
    "dup3": CallShape(("oldfd", "newfd", "flags"), 0),
    "fcntl": CallShape(("fd", "op", "arg"), 0),
    "pipe": CallShape(("pipefd",), None, (_pair(0),)),
    "pipe2": CallShape(("pipefd", "flags"), None, (_pair(0),)),
    "poll": CallShape(("fds", "nfds", "timeout"), None, (_POLLFDS,)),
    "ppoll": CallShape(("fds", "nfds", "tmo_p", "sigmask", "sigsetsize"), None, (_POLLFDS,)),
    "select": CallShape(("nfds", "readfds", "writefds", "exceptfds", "timeout"), None),
    "pselect6": CallShape(("nfds", "readfds", "writefds", "exceptfds", "timeout", "sigmask"), None),
    "epoll_create": CallShape(("size",), None),
    "epoll_create1": CallShape(("flags",), None),
    "epoll_ctl": CallShape(("epfd", "op", "fd", "event"), 0, (_EPOLL_EVENT_IN,)),
    "epoll_wait": CallShape(("epfd", "events", "maxevents", "timeout"), 0, (_EPOLL_EVENTS,)),
    "epoll_pwait": CallShape(
        ("epfd", "events", "maxevents", "timeout", "sigmask", "sigsetsize"), 0, (_EPOLL_EVENTS,)
    ),
    "epoll_pwait2": CallShape(
        ("epfd", "events", "maxevents", "timeout", "sigmask", "sigsetsize"), 0, (_EPOLL_EVENTS,)
    ),
    "io_uring_setup": CallShape(("entries", "p"), None),
    "io_uring_enter": CallShape(
        ("fd", "to_submit", "min_complete", "flags", "argp", "argsz"), None
    ),
    "io_uring_register": CallShape(
        ("fd", "opcode", "arg", "nr_args"), None, (Pointer(2, False, Layout.BYTES, Size.ITEMS, 4),)
    ),
    "io_submit": CallShape(("ctx_id", "nr", "iocbpp"), None),
    "pidfd_getfd": CallShape(("pidfd", "targetfd", "flags"), None),
}
"""No memory is read for sendfile and splice, whose bytes stay in the kernel. Of what
io_uring_register(2) points to an int[] is meant: of files."""

BARE = CallShape(tuple(f"arg{place}" for place in range(6)), None)
"""The shape of a call that is not in the table."""

HIDING = frozenset({"io_uring_setup", "io_uring_enter", "io_submit", "pidfd_getfd", *I386_NUMBERS})
"""Calls after which sockets are used, or had, by what is no call on them here: operations in the
ring of io_uring(7), requests of io_submit(2), a descriptor of another process by pidfd_getfd(2),
calls of 32 bits."""
