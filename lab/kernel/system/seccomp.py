"""Filters of system calls: programs of classic BPF, put together and installed.

Source: seccomp(2), Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Mapping, Sequence

# include/uapi/linux/audit.h
AUDIT_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# include/uapi/linux/seccomp.h
SECCOMP_SET_MODE_FILTER = 1
SECCOMP_GET_ACTION_AVAIL = 2
SECCOMP_FILTER_FLAG_SPEC_ALLOW = 1 << 2
SECCOMP_RET_ERRNO = 0x00050000
"""With the errno in its lower half."""
SECCOMP_RET_TRACE = 0x7FF00000
SECCOMP_RET_ALLOW = 0x7FFF0000

PR_SET_NO_NEW_PRIVS = 38

# Classic BPF: include/uapi/linux/bpf_common.h. struct seccomp_data has the call's number at 0, the
# architecture at 4 and, little-endian, the lower half of its argument N at 16 + 8 * N.
LOAD_WORD, JUMP_ALWAYS, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x05, 0x15, 0x35, 0x06
JUMP_IF_ANY_BIT = 0x45
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
_FARTHEST = 255

Instruction = tuple[int, int, int, int]
"""Instructions, instructions to skip if true, instructions to skip if false, constant: struct
sock_filter."""
Instructions = Sequence[Instruction]


def returns(action: int) -> list[Instruction]:
    """Code that ends with that action."""
    return [(RETURN, 0, 0, action)]


def argument(place: int) -> Instruction:
    """Loads the lower half of the call's argument at that place, from 0."""
    return (LOAD_WORD, 0, 0, ARGUMENTS + 8 * place)


def by_architecture(codes: Mapping[int, Instructions], otherwise: int) -> list[Instruction]:
    """A program: for calls of each architecture its code, for all others that action.

    Where the code reads nothing but the number, the kernel (since 5.11) finds out in advance which
    calls are always allowed, and does not run the program for them.
    """
    program: list[Instruction] = [(LOAD_WORD, 0, 0, ARCHITECTURE)]
    for architecture, code in codes.items():
        # How far a conditional jump goes is a byte; that of JUMP_ALWAYS is its constant.
        program += [(JUMP_IF_EQUAL, 1, 0, architecture), (JUMP_ALWAYS, 0, 0, len(code)), *code]
    return [*program, *returns(otherwise)]


def by_number(
    codes: Mapping[int, Instructions],
    otherwise: Instructions,
    beyond: Sequence[tuple[int, Instructions]] = (),
) -> list[Instruction]:
    """Code that runs, by bisection, the code of the call's number, or `otherwise`.

    `beyond` has what is run from a number on, in order; it is above all numbers in `codes`.
    """
    cuts: list[tuple[int, Instructions]] = [(0, otherwise)]
    for number in sorted(codes):
        for place, code in ((number, codes[number]), (number + 1, otherwise)):
            if cuts[-1][0] == place:
                cuts.pop()
            if not cuts or cuts[-1][1] != code:
                cuts.append((place, code))
    return [(LOAD_WORD, 0, 0, NUMBER), *_search([*cuts, *beyond])]


def _search(cuts: Sequence[tuple[int, Instructions]]) -> list[Instruction]:
    """Code that finds the last cut not above the number, and runs its code."""
    if len(cuts) == 1:
        return list(cuts[0][1])
    middle = len(cuts) // 2
    below, above = _search(cuts[:middle]), _search(cuts[middle:])
    if len(below) > _FARTHEST:
        jump = [(JUMP_IF_AT_LEAST, 0, 1, cuts[middle][0]), (JUMP_ALWAYS, 0, 0, len(below))]
    else:
        jump = [(JUMP_IF_AT_LEAST, len(below), 0, cuts[middle][0])]
    return [*jump, *below, *above]


class InstallableFilter:
    """A filter ready to be installed. Made before a fork, so that the child has little to do."""

    def __init__(self, call: int, program: Instructions) -> None:
        """`call` is the number of seccomp(2)."""
        self._call = call
        code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
        self._code = ctypes.create_string_buffer(code, len(code))
        self._program = ctypes.create_string_buffer(
            struct.pack("@HP", len(program), ctypes.addressof(self._code))
        )

    def install(self) -> None:
        """Filter the calls of this thread and of all tasks it makes, for ever. Raises OSError.

        The process must have CAP_SYS_ADMIN or no_new_privs. SPEC_ALLOW: the filter must not turn
        on mitigations that slow the program down.
        """
        address = ctypes.addressof(self._program)
        flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW
        if _LIBC.syscall(self._call, SECCOMP_SET_MODE_FILTER, flags, address, 0) == -1:
            raise _last_error("seccomp")


def give_up_privileges() -> None:
    """Set no_new_privs, so that whoever has no CAP_SYS_ADMIN may install a filter too.

    Set-user-ID programs are then no more than others. Raises OSError.
    """
    if _LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1:
        raise _last_error("prctl PR_SET_NO_NEW_PRIVS")


def why_unavailable(call: int, action: int) -> str:
    """Why a filter cannot return that action here; "" if it can. `call` as above."""
    wanted = ctypes.c_uint32(action)
    address = ctypes.addressof(wanted)
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
