"""System calls through libc that Python 3.11 lacks, or during which it makes other threads wait."""

from __future__ import annotations

import ctypes
import errno
import os

from lab.errors import KernelRefused

# unshare(2), setns(2)
CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

# mount(2)
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REC = 0x4000
MS_PRIVATE = 0x40000

# prctl(2)
PR_SET_PDEATHSIG = 1
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
PR_CAP_AMBIENT_CLEAR_ALL = 4

# Loaded from the running process: ctypes.util.find_library would start a compiler.
LIBC = ctypes.CDLL(None, use_errno=True)


def _check(result: int, attempt: str) -> None:
    """Raise KernelRefused, naming the errno, if the call returned -1."""
    if result == -1:
        number = ctypes.get_errno()
        name = errno.errorcode.get(number, str(number))
        error = KernelRefused(f"{attempt}: {name} ({os.strerror(number)})")
        error.__cause__ = OSError(number, os.strerror(number))
        raise error


def unshare(flags: int, attempt: str) -> None:
    """Leave the namespaces that `flags` names for new ones. Source: unshare(2)."""
    _check(LIBC.unshare(flags), attempt)


def setns(fd: int, flags: int, attempt: str) -> None:
    """Enter the namespace behind `fd`. Source: setns(2)."""
    _check(LIBC.setns(fd, flags), attempt)


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """Mount a filesystem. Source: mount(2)."""
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    result = LIBC.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3])
    _check(result, f"mount {kind or 'with flags ' + hex(flags)} on {target}")


def prctl(option: int, first: int, second: int = 0) -> None:
    """Change an attribute of the calling thread. Source: prctl(2)."""
    arguments = [ctypes.c_ulong(number) for number in (first, second, 0, 0)]
    _check(LIBC.prctl(option, *arguments), f"prctl option {option}")


def kill_me_with_my_parent(signal_number: int) -> None:
    """Make the kernel send this process `signal_number` when its parent thread dies."""
    prctl(PR_SET_PDEATHSIG, signal_number)


def capget(header: ctypes.Array[ctypes.c_uint32], data: ctypes.Array[ctypes.c_uint32]) -> None:
    """Fill `data` with this thread's capabilities. Source: capget(2)."""
    _check(LIBC.capget(header, data), "capget")


def capset(header: ctypes.Array[ctypes.c_uint32], data: ctypes.Array[ctypes.c_uint32]) -> None:
    """Set this thread's capabilities to `data`. Source: capset(2)."""
    _check(LIBC.capset(header, data), "capset")


def setsockopt(descriptor: int, level: int, option: int, value: bytes) -> None:
    """Set a socket option, letting other threads run meanwhile. Source: setsockopt(2)."""
    result = LIBC.setsockopt(descriptor, level, option, value, len(value))
    _check(result, f"setsockopt level {level} option {option}")


_BPF_NUMBER = {"x86_64": 321, "aarch64": 280}
"""The number of bpf(2), for which libc has no function, by machine."""


def bpf(command: int, attribute: bytes, attempt: str) -> int:
    """The result of bpf(2): a descriptor, or 0. `attribute` is the used part of its union bpf_attr.

    Raises KernelRefused.
    """
    machine = os.uname().machine
    if machine not in _BPF_NUMBER:
        raise KernelRefused(f"{attempt}: the lab has no number of bpf(2) for {machine}")
    size = ctypes.c_uint(len(attribute))
    result = LIBC.syscall(ctypes.c_long(_BPF_NUMBER[machine]), command, attribute, size)
    _check(result, attempt)
    return int(result)
