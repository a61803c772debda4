"""System calls' numbers, on the machines that the tracing instruments support.

Source: the kernel's arch/x86/entry/syscalls/syscall_64.tbl and, for aarch64,
include/uapi/asm-generic/unistd.h, which lacks the older calls (poll, select, dup2, ...).
"""

from __future__ import annotations

import os

from lab.errors import MachineError

NUMBERS: dict[str, dict[str, int]] = {
    "x86_64": {
        "socket": 41,
        "socketpair": 53,
        "bind": 49,
        "listen": 50,
        "accept": 43,
        "accept4": 288,
        "connect": 42,
        "getsockname": 51,
        "getpeername": 52,
        "sendto": 44,
        "recvfrom": 45,
        "sendmsg": 46,
        "recvmsg": 47,
        "sendmmsg": 307,
        "recvmmsg": 299,
        "setsockopt": 54,
        "getsockopt": 55,
        "shutdown": 48,
        "read": 0,
        "write": 1,
        "readv": 19,
        "writev": 20,
        "preadv2": 327,
        "pwritev2": 328,
        "sendfile": 40,
        "splice": 275,
        "close": 3,
        "close_range": 436,
        "dup": 32,
        "dup2": 33,
        "dup3": 292,
        "fcntl": 72,
        "pipe": 22,
        "pipe2": 293,
        "poll": 7,
        "ppoll": 271,
        "select": 23,
        "pselect6": 270,
        "epoll_create": 213,
        "epoll_create1": 291,
        "epoll_ctl": 233,
        "epoll_wait": 232,
        "epoll_pwait": 281,
        "epoll_pwait2": 441,
        "io_uring_setup": 425,
        "io_uring_enter": 426,
        "io_uring_register": 427,
        "io_submit": 209,
        "pidfd_getfd": 438,
    },
    "aarch64": {
        "socket": 198,
        "socketpair": 199,
        "bind": 200,
        "listen": 201,
        "accept": 202,
        "accept4": 242,
        "connect": 203,
        "getsockname": 204,
        "getpeername": 205,
        "sendto": 206,
        "recvfrom": 207,
        "sendmsg": 211,
        "recvmsg": 212,
        "sendmmsg": 269,
        "recvmmsg": 243,
        "setsockopt": 208,
        "getsockopt": 209,
        "shutdown": 210,
        "read": 63,
        "write": 64,
        "readv": 65,
        "writev": 66,
        "preadv2": 286,
        "pwritev2": 287,
        "sendfile": 71,
        "splice": 76,
        "close": 57,
        "close_range": 436,
        "dup": 23,
        "dup3": 24,
        "fcntl": 25,
        "pipe2": 59,
        "ppoll": 73,
        "pselect6": 72,
        "epoll_create1": 20,
        "epoll_ctl": 21,
        "epoll_pwait": 22,
        "epoll_pwait2": 441,
        "io_uring_setup": 425,
        "io_uring_enter": 426,
        "io_uring_register": 427,
        "io_submit": 2,
        "pidfd_getfd": 438,
    },
}
"""The numbers of the calls in lab.syscalls.table.CALLS, by machine (uname -m) and name."""

OTHER_NUMBERS: dict[str, dict[str, int]] = {
    "x86_64": {
        "clone": 56,
        "clone3": 435,
        "fork": 57,
        "vfork": 58,
        "rt_sigreturn": 15,
        "restart_syscall": 219,
        "seccomp": 317,
        "ptrace": 101,
    },
    "aarch64": {
        "clone": 220,
        "clone3": 435,
        "rt_sigreturn": 139,
        "restart_syscall": 128,
        "seccomp": 277,
        "ptrace": 117,
    },
}
"""The numbers of calls that make tasks or resume an interrupted call, and of the lab's own."""


def numbers() -> dict[str, int]:
    """This machine's numbers of the traced calls, by name. Raises MachineError."""
    return _of_this_machine(NUMBERS)


def other_numbers() -> dict[str, int]:
    """This machine's numbers of the calls that tracing needs itself. Raises MachineError."""
    return _of_this_machine(OTHER_NUMBERS)


def _of_this_machine(table: dict[str, dict[str, int]]) -> dict[str, int]:
    machine = os.uname().machine
    if machine not in table:
        known = " and ".join(table)
        raise MachineError(
            f"cannot trace system calls on {machine}: the lab has their numbers for {known} only; "
            "run with --trace none"
        )
    return table[machine]
