"""Calls that wait, and by what it is seen whether time alone can end such a wait.

Source: the man page of each call; for the numbers the kernel's
arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from lab.frozen import frozen


class WaitEnd(enum.Enum):
    """What can end a wait besides what is waited for."""

    NOT_BY_TIME = "not by time"
    BY_ITS_SOCKET = "by its socket"
    """The time of SO_RCVTIMEO or SO_SNDTIMEO of the descriptor, if it is a socket: socket(7)."""
    BY_TIME = "by time"


@frozen
class Wait:
    """How a call says how long it waits."""

    of_socket: bool = False
    """Whether its first argument is a descriptor, whose socket may have a time."""
    pointer: int | None = None
    """The argument that points to a time; NULL is for ever."""
    milliseconds: int | None = None
    """The argument that has a time as an int; below 0 is for ever."""


_PLAIN, _SOCKET = Wait(), Wait(of_socket=True)

WAITS: dict[str, Wait] = {
    "read": _SOCKET,
    "readv": _SOCKET,
    "write": _SOCKET,
    "writev": _SOCKET,
    "recvfrom": _SOCKET,
    "recvmsg": _SOCKET,
    "sendto": _SOCKET,
    "sendmsg": _SOCKET,
    "accept": _SOCKET,
    "accept4": _SOCKET,
    "poll": Wait(milliseconds=2),
    "ppoll": Wait(pointer=2),
    "select": Wait(pointer=4),
    "pselect6": Wait(pointer=4),
    "epoll_wait": Wait(milliseconds=3),
    "epoll_pwait": Wait(milliseconds=3),
    "epoll_pwait2": Wait(pointer=3),
    "futex": Wait(pointer=3),
    "wait4": _PLAIN,
    "waitid": _PLAIN,
    "pause": _PLAIN,
    "rt_sigsuspend": _PLAIN,
}
"""Those that are known, by name. Of every other call nothing is said; nor of rt_sigtimedwait, that
of sigwait(3), which a timer's SIGALRM may end without a handler."""

NUMBERS_OF_WAITS: dict[str, dict[int, str]] = {
    "x86_64": {
        0: "read", 19: "readv", 1: "write", 20: "writev", 45: "recvfrom", 47: "recvmsg",
        44: "sendto", 46: "sendmsg", 43: "accept", 288: "accept4", 7: "poll", 271: "ppoll",
        23: "select", 270: "pselect6", 232: "epoll_wait", 281: "epoll_pwait", 441: "epoll_pwait2",
        202: "futex", 61: "wait4", 247: "waitid", 34: "pause", 130: "rt_sigsuspend",
    },
    "aarch64": {
        63: "read", 65: "readv", 64: "write", 66: "writev", 207: "recvfrom", 212: "recvmsg",
        206: "sendto", 211: "sendmsg", 202: "accept", 242: "accept4", 73: "ppoll", 72: "pselect6",
        22: "epoll_pwait", 441: "epoll_pwait2", 98: "futex", 260: "wait4", 95: "waitid",
        133: "rt_sigsuspend",
    },
}  # fmt: skip
"""By machine (uname -m)."""

_SLEEPS: dict[str, dict[int, str]] = {
    "x86_64": {
        35: "nanosleep", 230: "clock_nanosleep", 42: "connect", 2: "open", 257: "openat",
        72: "fcntl", 73: "flock", 128: "rt_sigtimedwait", 299: "recvmmsg", 307: "sendmmsg",
    },
    "aarch64": {
        101: "nanosleep", 115: "clock_nanosleep", 203: "connect", 56: "openat", 25: "fcntl",
        32: "flock", 137: "rt_sigtimedwait", 243: "recvmmsg", 269: "sendmmsg",
    },
}  # fmt: skip
"""Further calls that a program may wait in: for a time, a peer, a FIFO's other end, a lock."""
_ON_DESCRIPTORS = frozenset({"connect", "fcntl", "flock", "recvmmsg", "sendmmsg"})


def name_of_wait(machine: str, number: int) -> str:
    """The name of a call that may wait; "" of every other."""
    known = NUMBERS_OF_WAITS.get(machine, {}) | _SLEEPS.get(machine, {})
    return known.get(number, "")


def waits_on_descriptor(name: str) -> bool:
    """Whether the first argument of that call is the descriptor that it waits on."""
    return name in _ON_DESCRIPTORS or (name in WAITS and WAITS[name].of_socket)


def what_ends(machine: str, number: int, arguments: Sequence[int]) -> WaitEnd:
    """What can end the wait of such a call; BY_TIME if unknown.

    `arguments` are its registers, 64 bits each without a sign.
    """
    wait = WAITS.get(NUMBERS_OF_WAITS.get(machine, {}).get(number, ""))
    if wait is None:
        return WaitEnd.BY_TIME
    if wait.of_socket:
        return WaitEnd.BY_ITS_SOCKET
    if wait.pointer is not None and arguments[wait.pointer]:
        return WaitEnd.BY_TIME
    # An int: its sign is the 32nd bit, whatever is above it.
    if wait.milliseconds is not None and not arguments[wait.milliseconds] & 0x80000000:
        return WaitEnd.BY_TIME
    return WaitEnd.NOT_BY_TIME
