"""Calls by the i386 system call table, which a kernel of 64 bits has beside its own.

Programs of 32 bits make them, and so may any program by the instruction int 0x80. Of them is known
only that they were made: their numbers are others, and what their pointers point to is laid out
otherwise. Those that close or copy descriptors are among them: what a descriptor is after that is
unknown. An instrument records the first of each kind that a process makes.
Source: the kernel's arch/x86/entry/syscalls/syscall_32.tbl.
"""

from __future__ import annotations

import os

_NUMBERS = {
    "read": 3,
    "write": 4,
    "close": 6,
    "dup": 41,
    "fcntl": 55,
    "dup2": 63,
    "socketcall": 102,
    "readv": 145,
    "writev": 146,
    "sendfile": 187,
    "fcntl64": 221,
    "sendfile64": 239,
    "io_submit": 248,
    "splice": 313,
    "dup3": 330,
    "recvmmsg": 337,
    "sendmmsg": 345,
    "socket": 359,
    "socketpair": 360,
    "bind": 361,
    "connect": 362,
    "listen": 363,
    "accept4": 364,
    "getsockopt": 365,
    "setsockopt": 366,
    "getsockname": 367,
    "getpeername": 368,
    "sendto": 369,
    "sendmsg": 370,
    "recvfrom": 371,
    "recvmsg": 372,
    "shutdown": 373,
    "preadv2": 378,
    "pwritev2": 379,
    "recvmmsg_time64": 417,
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "close_range": 436,
    "pidfd_getfd": 438,
}

I386_NAMES = {f"i386:{name}": name for name in _NUMBERS}
"""The names in records of calls that make and use sockets, or may use them unseen; and the names
of their man pages."""

I386_MOVING = frozenset(
    f"i386:{name}"
    for name in ("close", "close_range", "dup", "dup2", "dup3", "fcntl", "fcntl64", "socketcall")
)
"""Those after which a descriptor that is known may be another file: they close it, and so give its
number away, or put another there."""

I386_NUMBERS = {name: _NUMBERS[page] for name, page in I386_NAMES.items()}
"""The numbers of these calls."""

SAME_NUMBER = {
    3: "close",
    4: "newstat",
    6: "newlstat",
    41: "socket",
    55: "getsockopt",
    63: "newuname",
    102: "getuid",
    145: "sched_getscheduler",
    146: "sched_get_priority_max",
    187: "readahead",
    221: "fadvise64",
    239: "get_mempolicy",
    248: "add_key",
    313: "finit_module",
    330: "pkey_alloc",
    425: "io_uring_setup",
    426: "io_uring_enter",
    436: "close_range",
    438: "pidfd_getfd",
}
"""The calls of x86_64 that have these numbers, by what their tracepoints are named after."""

SYSCALL_ARCHITECTURE = 0x40000003
"""AUDIT_ARCH_I386. Source: include/uapi/linux/audit.h."""


def i386_numbers() -> dict[str, int]:
    """The numbers by name; empty where the machine has no such table."""
    return I386_NUMBERS if os.uname().machine == "x86_64" else {}
