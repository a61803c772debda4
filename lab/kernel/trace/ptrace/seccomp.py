"""The seccomp filter that stops a program for its tracer at the traced system calls alone.

Source: seccomp(2), Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable, Mapping

from lab.syscalls.i386 import SYSCALL_ARCHITECTURE, i386_numbers
from lab.syscalls.numbers import other_numbers

# include/uapi/linux/audit.h
AUDIT_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# include/uapi/linux/seccomp.h
SECCOMP_SET_MODE_FILTER = 1
SECCOMP_GET_ACTION_AVAIL = 2
SECCOMP_FILTER_FLAG_SPEC_ALLOW = 1 << 2
SECCOMP_RET_TRACE = 0x7FF00000
SECCOMP_RET_ALLOW = 0x7FFF0000

PR_SET_NO_NEW_PRIVS = 38

# Classic BPF: include/uapi/linux/bpf_common.h; struct seccomp_data has the call's number at 0
# and the architecture at 4.
LOAD_WORD, JUMP_ALWAYS, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x05, 0x15, 0x35, 0x06
NUMBER, ARCHITECTURE = 0, 4

Instruction = tuple[int, int, int, int]
"""Code, instructions to skip if true, instructions to skip if false, constant: struct
sock_filter."""


def filter_program(wanted: Mapping[int, Iterable[int]]) -> list[Instruction]:
    """A program that returns SECCOMP_RET_TRACE for these numbers, else SECCOMP_RET_ALLOW.

    `wanted` has them by architecture. Calls of another one are allowed, those of x32 as well: its
    numbers are higher. The program reads only the number and the architecture: then the kernel
    (since 5.11) finds out in advance which calls are always allowed, and does not run the program
    for them.
    """
    program: list[Instruction] = [(LOAD_WORD, 0, 0, ARCHITECTURE)]
    for architecture, numbers in wanted.items():
        code = [(LOAD_WORD, 0, 0, NUMBER), *_search(_cuts(numbers))]
        # How far a conditional jump goes is a byte; that of JUMP_ALWAYS is its constant.
        program += [(JUMP_IF_EQUAL, 1, 0, architecture), (JUMP_ALWAYS, 0, 0, len(code)), *code]
    return [*program, (RETURN, 0, 0, SECCOMP_RET_ALLOW)]


def _cuts(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """From which number on which action is returned, in order."""
    cuts = [(0, SECCOMP_RET_ALLOW)]
    for number in sorted(numbers):
        if cuts[-1] == (number, SECCOMP_RET_ALLOW):
            cuts.pop()
        if not cuts or cuts[-1][1] == SECCOMP_RET_ALLOW:
            cuts.append((number, SECCOMP_RET_TRACE))
        cuts.append((number + 1, SECCOMP_RET_ALLOW))
    return cuts


def _search(cuts: list[tuple[int, int]]) -> list[Instruction]:
    """Code that finds the last cut not above the number, by bisection, and returns its action."""
    if len(cuts) == 1:
        return [(RETURN, 0, 0, cuts[0][1])]
    middle = len(cuts) // 2
    below, above = _search(cuts[:middle]), _search(cuts[middle:])
    return [(JUMP_IF_AT_LEAST, len(below), 0, cuts[middle][0]), *below, *above]


class Filter:
    """A filter ready to be installed. Made before a fork, so that the child has little to do."""

    def __init__(self, numbers: Iterable[int], has_privilege: bool) -> None:
        """`has_privilege`: whether the process that installs it has CAP_SYS_ADMIN.

        Others must give up set-user-ID programs for it (PR_SET_NO_NEW_PRIVS). Raises
        MachineError.
        """
        self._call = other_numbers()["seccomp"]
        wanted = {AUDIT_ARCHITECTURES[os.uname().machine]: numbers}
        if of_i386 := i386_numbers():
            wanted[SYSCALL_ARCHITECTURE] = of_i386.values()
        program = filter_program(wanted)
        code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
        self._code = ctypes.create_string_buffer(code, len(code))
        self._program = ctypes.create_string_buffer(
            struct.pack("@HP", len(program), ctypes.addressof(self._code))
        )
        self._has_privilege = has_privilege

    def install(self) -> None:
        """Filter the calls of this thread and of all tasks it makes, for ever. Raises OSError.

        SPEC_ALLOW: the filter must not turn on mitigations that slow the program down.
        """
        address = ctypes.addressof(self._program)
        flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW
        if not self._has_privilege and _LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1:
            raise _last_error("prctl PR_SET_NO_NEW_PRIVS")
        if _LIBC.syscall(self._call, SECCOMP_SET_MODE_FILTER, flags, address, 0) == -1:
            raise _last_error("seccomp")


def refusal() -> str:
    """Why a filter cannot stop calls for a tracer here; "" if it can. Raises MachineError."""
    wanted = ctypes.c_uint32(SECCOMP_RET_TRACE)
    address = ctypes.addressof(wanted)
    call = other_numbers()["seccomp"]
    if _LIBC.syscall(call, SECCOMP_GET_ACTION_AVAIL, 0, address, 0) == -1:
        return str(_last_error("seccomp"))
    return ""


def _last_error(call: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{call}: {os.strerror(number)}")


# Not lab.kernel.system.libc's: setting argument types there would change them for its users.
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.argtypes = [ctypes.c_long] * 5
_LIBC.syscall.restype = ctypes.c_long
_LIBC.prctl.argtypes = [ctypes.c_long] * 5
