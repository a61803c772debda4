"""Capabilities of this process, and those that programs it starts keep.

Source: capabilities(7), capset(2), prctl(2).
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import MachineError, UsageError
from lab.kernel.system import libc

NUMBERS = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_ADMIN": 21}

_VERSION_3 = 0x20080522
_HEADER_WORDS, _DATA_WORDS = 2, 6


def has_capabilities(*names: str) -> bool:
    """Whether this process has all of these capabilities, effective."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("CapEff:"):
            effective = int(line.split()[1], 16)
            return all(effective >> NUMBERS[name] & 1 for name in names)
    raise MachineError("cannot read this process's capabilities from /proc/self/status")


@contextmanager
def ambient_capabilities(names: Iterable[str]) -> Iterator[None]:
    """Let programs that are started in the with statement's body keep these capabilities.

    An ordinary user's program loses all others at its execve(2). This process must have them.
    Raises KernelRefused, and UsageError for an unknown name.
    """
    try:
        numbers = [NUMBERS[name] for name in names]
    except KeyError as error:
        raise UsageError(f"unknown capability {error}; known: {', '.join(NUMBERS)}") from None
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
