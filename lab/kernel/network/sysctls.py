"""Sysctls of the entered network namespace: written, and what was there before.

Source: proc(5); Documentation/admin-guide/sysctl/net.rst of the kernel.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from lab.errors import KernelRefused, MachineError, UsageError, did_you_mean
from lab.linux.sysctl import Sysctl
from lab.records import SysctlSet

ROOT = "/proc/sys"
_LONGEST = 4096


def write_sysctl(key: str, value: str) -> None:
    """Set one that the lab needs, by its path under /proc/sys.

    Raises KernelRefused, and MachineError if this kernel has no such sysctl.
    """
    try:
        _write(key, value)
    except FileNotFoundError:
        raise MachineError(
            f"this kernel has no sysctl {key}; the lab needs IPv6 (boot without ipv6.disable=1)"
        ) from None
    except OSError as error:
        raise KernelRefused(f"cannot set sysctl {key}: {error.strerror}") from error


def read_sysctl(key: str) -> str | None:
    """The value of one, by its path under /proc/sys; None if this kernel does not have it."""
    try:
        return _read(key)
    except FileNotFoundError:
        return None


def set_sysctls(wanted: Iterable[Sysctl]) -> list[SysctlSet]:
    """Set those that a scenario asks for; what each was, and what the kernel made of it.

    Raises UsageError where this kernel does not have one that is not optional, or refuses a value.
    """
    return [_set(each) for each in wanted]


def _set(wanted: Sysctl) -> SysctlSet:
    path = wanted.path
    try:
        before = _read(path)
        _write(path, wanted.value)
        now = _read(path)
    except FileNotFoundError:
        if wanted.is_optional:
            return SysctlSet(wanted.host, wanted.name, wanted.value, None, None)
        raise UsageError(
            f"this kernel ({os.uname().release}) has no sysctl {wanted.name} in the network "
            f"namespace of {wanted.host}{_like(path)}{_of_root(wanted.name)}; where a run can do "
            f'without it, write "-{wanted.name}"'
        ) from None
    except OSError as error:
        raise UsageError(
            f"cannot set sysctl {wanted.name} of {wanted.host} to {wanted.value!r}: "
            f"{error.strerror}"
        ) from error
    return SysctlSet(wanted.host, wanted.name, wanted.value, before, now)


def _of_root(name: str) -> str:
    """Who has it, where that may be root alone: Linux 6.1, sysctl_core_net_init()."""
    is_roots = name.startswith("net.core.")
    return ", as older kernels have none of net.core for ordinary users" if is_roots else ""


def _like(path: str) -> str:
    """What may have been meant, of those beside it."""
    folder, _, name = path.rpartition("/")
    try:
        return did_you_mean(name, [each.name for each in Path(ROOT, folder).iterdir()])
    except OSError:
        return ""


def _write(path: str, value: str) -> None:
    descriptor = os.open(f"{ROOT}/{path}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode("ascii"))
    finally:
        os.close(descriptor)


def _read(path: str) -> str:
    """Its values as sysctl(8) prints them, with single blanks between several."""
    descriptor = os.open(f"{ROOT}/{path}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = os.read(descriptor, _LONGEST).decode("ascii", "backslashreplace")
    finally:
        os.close(descriptor)
    return " ".join(text.split())
