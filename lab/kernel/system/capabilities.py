"""Capabilities of this process, and those that programs it starts keep.

Source: capabilities(7), capset(2), prctl(2).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab.errors import MachineError, UsageError, did_you_mean
from lab.kernel.system import libc

# include/uapi/linux/capability.h, in the order of their numbers
NAMES = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID",
    "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
    "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
    "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)  # fmt: skip
NUMBERS = {name: number for number, name in enumerate(NAMES)}

# include/uapi/linux/securebits.h: an execve(2) by uid 0 adds no capabilities, for good.
SECBIT_NOROOT, SECBIT_NOROOT_LOCKED = 0x1, 0x2

_VERSION_3 = 0x20080522
_HEADER_WORDS, _DATA_WORDS = 2, 6


def has_capabilities(*names: str) -> bool:
    """Whether this process has all of these capabilities, effective."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("CapEff:"):
            effective = int(line.split()[1], 16)
            return all(effective >> NUMBERS[name] & 1 for name in names)
    raise MachineError("cannot read this process's capabilities from /proc/self/status")


def numbers_of(names: Iterable[str]) -> list[int]:
    """The capabilities' numbers. Raises UsageError for an unknown name."""
    wanted = tuple(names)
    for name in wanted:
        if name not in NUMBERS:
            near = did_you_mean(name, NAMES)
            raise UsageError(
                f"there is no capability {name!r}{near}" + ("" if near else "; see capabilities(7)")
            )
    return [NUMBERS[name] for name in wanted]


@contextmanager
def ambient_capabilities(names: Iterable[str]) -> Iterator[None]:
    """Let programs that are started in the with statement's body keep these capabilities.

    An ordinary user's program loses all others at its execve(2). This process must have them.
    Raises KernelRefused, and UsageError for an unknown name.
    """
    numbers = numbers_of(names)
    if not numbers:
        yield
        return
    before = _inheritable()
    _set_inheritable(before | sum(1 << number for number in numbers))
    try:
        for number in numbers:
            libc.prctl(libc.PR_CAP_AMBIENT, libc.PR_CAP_AMBIENT_RAISE, number)
        yield
    finally:
        libc.prctl(libc.PR_CAP_AMBIENT, libc.PR_CAP_AMBIENT_CLEAR_ALL, 0)
        _set_inheritable(before)


def last_capability() -> int:
    """The number of the last capability that this kernel knows."""
    return int(Path("/proc/sys/kernel/cap_last_cap").read_text("ascii"))


def become_user(uid: int, gid: int, groups: Sequence[int]) -> None:
    """Make this process that user's, with the capabilities that it has. Raises OSError."""
    libc.prctl(libc.PR_SET_KEEPCAPS, 1)
    os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    # All are still permitted, and none is effective any more.
    data = _capget()
    data[0], data[3] = data[1], data[4]
    libc.capset(_header(), data)


def keep_only(numbers: Iterable[int], last: int) -> None:
    """Leave this process these capabilities alone, over every execve(2) and for good.

    `last` is last_capability(). Nothing that it executes can add one, neither by set-user-ID nor
    by a file's capabilities, nor because its uid is 0. Raises KernelRefused.
    """
    kept = frozenset(numbers)
    for number in range(last + 1):
        if number not in kept:
            libc.prctl(libc.PR_CAPBSET_DROP, number)
    libc.prctl(libc.PR_CAP_AMBIENT, libc.PR_CAP_AMBIENT_CLEAR_ALL, 0)
    libc.prctl(libc.PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED)
    mask = sum(1 << number for number in kept)
    data = _capget()
    data[0:3] = [mask & 0xFFFFFFFF] * 3
    data[3:6] = [mask >> 32] * 3
    libc.capset(_header(), data)
    for number in kept:
        libc.prctl(libc.PR_CAP_AMBIENT, libc.PR_CAP_AMBIENT_RAISE, number)
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)


def _inheritable() -> int:
    data = _capget()
    return int(data[2]) | int(data[5]) << 32


def _set_inheritable(mask: int) -> None:
    data = _capget()
    data[2], data[5] = mask & 0xFFFFFFFF, mask >> 32
    libc.capset(_header(), data)


def _capget() -> ctypes.Array[ctypes.c_uint32]:
    """Effective, permitted and inheritable: three words for numbers below 32, three for others."""
    data = (ctypes.c_uint32 * _DATA_WORDS)()
    libc.capget(_header(), data)
    return data


def _header() -> ctypes.Array[ctypes.c_uint32]:
    return (ctypes.c_uint32 * _HEADER_WORDS)(_VERSION_3, 0)
