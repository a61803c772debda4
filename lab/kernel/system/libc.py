"""System calls through libc that Python 3.11 lacks, or during which it makes other threads wait."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from lab.errors import KernelRefused

# unshare(2), setns(2)
CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

# mount(2)
MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_SHARED = 0x100000

# umount2(2)
MNT_DETACH = 0x2

# mount_setattr(2), open_tree(2), move_mount(2)
MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
AT_FDCWD = -100
_AT_EMPTY_PATH = 0x1000
_AT_RECURSIVE = 0x8000
_OPEN_TREE_CLONE = 0x1
_MOVE_MOUNT_F_EMPTY_PATH = 0x4
# Their numbers, the same on every machine: libc has functions for them from glibc 2.36 on.
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_PIDFD_GETFD = 438  # since Linux 5.6

# prctl(2)
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_NO_NEW_PRIVS = 38
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


def umount(target: str, flags: int) -> None:
    """Unmount what is mounted there. Source: umount2(2)."""
    _check(LIBC.umount2(os.fsencode(target), flags), f"unmount {target}")


def pivot_root(new: str, old: str) -> None:
    """Make one mount the root of this process's mount namespace, the root another's submount.

    With "." for both, in the new root, the old one lies upon it, to be unmounted as ".".
    Source: pivot_root(2).
    """
    number = _PIVOT_ROOT_NUMBER.get(os.uname().machine)
    if number is None:
        raise KernelRefused(f"the lab has no number of pivot_root(2) for {os.uname().machine}")
    _check(_syscall(number, os.fsencode(new), os.fsencode(old)), f"pivot_root {new}")


def clone_mounts(path: str) -> int:
    """A descriptor of copies of the mounts at and beneath a path, attached nowhere yet.

    Source: open_tree(2), Linux 5.2.
    """
    flags = _OPEN_TREE_CLONE | os.O_CLOEXEC | _AT_RECURSIVE
    result = _syscall(_OPEN_TREE, AT_FDCWD, os.fsencode(path), ctypes.c_uint(flags))
    _check(result, f"open_tree {path}")
    return result


def attach_mounts(descriptor: int, target: str) -> None:
    """Attach the mounts behind a descriptor of clone_mounts. Source: move_mount(2), Linux 5.2."""
    flags = ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH)
    result = _syscall(_MOVE_MOUNT, descriptor, b"", AT_FDCWD, os.fsencode(target), flags)
    _check(result, f"move_mount to {target}")


def restrict_mounts(where: str | int, attributes: int) -> None:
    """Add attributes, such as MOUNT_ATTR_RDONLY, to the mounts at and beneath a path.

    `where` may be a descriptor of clone_mounts. Source: mount_setattr(2), Linux 5.12.
    """
    wanted = struct.pack("=4Q", attributes, 0, 0, 0)  # struct mount_attr
    flags, size = ctypes.c_uint(_AT_RECURSIVE | _AT_EMPTY_PATH), ctypes.c_size_t(len(wanted))
    at, path = (where, b"") if isinstance(where, int) else (AT_FDCWD, os.fsencode(where))
    _check(_syscall(_MOUNT_SETATTR, at, path, flags, wanted, size), f"mount_setattr {where}")


def _syscall(number: int, *arguments: object) -> int:
    return int(LIBC.syscall(ctypes.c_long(number), *arguments))


def copied_descriptor(process: int, descriptor: int) -> int:
    """A descriptor of this process for what another one has there; `process` is its pidfd.

    Source: pidfd_getfd(2). Raises OSError.
    """
    result = _syscall(_PIDFD_GETFD, process, descriptor, ctypes.c_uint(0))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    os.set_inheritable(result, False)
    return result


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


def join_session_keyring() -> None:
    """Leave this process's session keyring for an empty one of its own. Source: keyctl(2).

    Where the kernel has no keyrings, or a container's filter lets nobody use them, there is
    nothing to leave. Raises KernelRefused.
    """
    number = _KEYCTL_NUMBER.get(os.uname().machine)
    result = 0 if number is None else _syscall(number, _KEYCTL_JOIN_SESSION_KEYRING, None)
    if result != -1 or ctypes.get_errno() not in (errno.ENOSYS, errno.EPERM):
        _check(result, "keyctl KEYCTL_JOIN_SESSION_KEYRING")


def setsockopt(descriptor: int, level: int, option: int, value: bytes) -> None:
    """Set a socket option, letting other threads run meanwhile. Source: setsockopt(2)."""
    result = LIBC.setsockopt(descriptor, level, option, value, len(value))
    _check(result, f"setsockopt level {level} option {option}")


_KEYCTL_JOIN_SESSION_KEYRING = ctypes.c_int(1)
_KEYCTL_NUMBER = {"x86_64": 250, "aarch64": 219}
"""The number of keyctl(2), as below."""

_PIVOT_ROOT_NUMBER = {"x86_64": 155, "aarch64": 41}
"""The number of pivot_root(2), the same."""

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
