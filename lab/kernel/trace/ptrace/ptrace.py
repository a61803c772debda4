"""ptrace(2) with as little overhead as Python allows.

For a process that has a single thread: PyDLL keeps the interpreter's lock, and a call makes no
Python object but its result.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from lab.errors import KernelRefused

_LIBC = ctypes.PyDLL(None, use_errno=True)

# ptrace(2), include/uapi/linux/ptrace.h
PTRACE_CONT = 7
PTRACE_SYSCALL = 24
PTRACE_GETEVENTMSG = 0x4201
PTRACE_SEIZE = 0x4206
PTRACE_LISTEN = 0x4208
PTRACE_GET_SYSCALL_INFO = 0x420E

PTRACE_EVENT_FORK = 1
PTRACE_EVENT_VFORK = 2
PTRACE_EVENT_CLONE = 3
PTRACE_EVENT_EXEC = 4
PTRACE_EVENT_EXIT = 6
PTRACE_EVENT_SECCOMP = 7
PTRACE_EVENT_STOP = 128

PTRACE_O_TRACESYSGOOD = 1
PTRACE_O_EXITKILL = 1 << 20

_EVENTS = (
    PTRACE_EVENT_FORK,
    PTRACE_EVENT_VFORK,
    PTRACE_EVENT_CLONE,
    PTRACE_EVENT_EXEC,
    PTRACE_EVENT_EXIT,
    PTRACE_EVENT_SECCOMP,
)
OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | sum(1 << event for event in _EVENTS)

WALL = 0x40000000
"""__WALL of waitpid(2): wait for threads as well."""

SIGTRAP = 5
STOPPED = 0x7F
"""The lowest byte of a stopped task's wait status."""
SECCOMP_STOP = PTRACE_EVENT_SECCOMP << 16 | SIGTRAP << 8 | STOPPED
"""The wait status of a task about to make a call that the filter wants."""
EXIT_STOP = (SIGTRAP | 0x80) << 8 | STOPPED
"""The wait status of a task whose call is about to return."""

ptrace = _LIBC.ptrace
"""ptrace(request, tid, address, data): -1 if it failed, as when the task was just killed."""
ptrace.argtypes = [ctypes.c_long] * 4
ptrace.restype = ctypes.c_long

SYSCALL_INFO = ctypes.create_string_buffer(88)
"""struct ptrace_syscall_info, filled by PTRACE_GET_SYSCALL_INFO."""
INFO_BYTES, INFO_ADDRESS = len(SYSCALL_INFO), ctypes.addressof(SYSCALL_INFO)
unpack_entry = struct.Struct("=8xQ8xQ6Q").unpack_from
"""Instruction pointer, call number and six arguments of a task at an entry."""
unpack_architecture = struct.Struct("=4xI").unpack_from
"""The architecture of a call, an AUDIT_ARCH_ value, as a tuple of one."""
unpack_result = struct.Struct("=24xq").unpack_from
"""The result of a call at its exit, as a tuple of one."""

_MESSAGE = ctypes.c_ulong()


def event_message(tid: int) -> int:
    """The message of the task's current event: the tid of the new task, or of the former thread.

    0 if the task was killed meanwhile. Source: ptrace(2), PTRACE_GETEVENTMSG.
    """
    if ptrace(PTRACE_GETEVENTMSG, tid, 0, ctypes.addressof(_MESSAGE)) == -1:
        return 0
    return _MESSAGE.value


def seize(tid: int) -> None:
    """Trace the task and all tasks that it makes, without stopping it. Raises KernelRefused."""
    if ptrace(PTRACE_SEIZE, tid, 0, OPTIONS) == -1:
        raise KernelRefused(f"cannot trace process {tid}: {_error_name(ctypes.get_errno())}")


def refusal() -> str:
    """Why this process may not trace a process of its own; "" if it may.

    Tried on a task that does not exist: a container's filter of system calls refuses before the
    kernel looks for the task.
    """
    if ptrace(PTRACE_CONT, 0, 0, 0) == -1 and ctypes.get_errno() != errno.ESRCH:
        return f"ptrace: {_error_name(ctypes.get_errno())}"
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope", encoding="ascii") as file:  # noqa: PTH123
            scope = file.read().strip()
    except OSError:
        return ""  # the kernel is without Yama
    return "ptrace: forbidden by /proc/sys/kernel/yama/ptrace_scope" if scope == "3" else ""


def _error_name(number: int) -> str:
    return f"{errno.errorcode.get(number, number)} ({os.strerror(number)})"
