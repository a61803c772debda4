"""The seccomp filter that stops a program for its tracer at the traced system calls alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from lab.kernel.system.seccomp import (
    AUDIT_ARCHITECTURES,
    SECCOMP_RET_ALLOW,
    SECCOMP_RET_TRACE,
    InstallableFilter,
    Instruction,
    by_architecture,
    by_number,
    give_up_privileges,
    returns,
    why_unavailable,
)
from lab.syscalls.i386 import SYSCALL_ARCHITECTURE, i386_numbers
from lab.syscalls.numbers import other_numbers


def filter_program(wanted: Mapping[int, Iterable[int]]) -> list[Instruction]:
    """A program that returns SECCOMP_RET_TRACE for these numbers, else SECCOMP_RET_ALLOW.

    `wanted` has them by architecture. Calls of another one are allowed, those of x32 as well: its
    numbers are higher.
    """
    traced, allowed = returns(SECCOMP_RET_TRACE), returns(SECCOMP_RET_ALLOW)
    codes = {
        architecture: by_number(dict.fromkeys(numbers, traced), allowed)
        for architecture, numbers in wanted.items()
    }
    return by_architecture(codes, SECCOMP_RET_ALLOW)


class Filter:
    """A filter ready to be installed. Made before a fork, so that the child has little to do."""

    def __init__(self, numbers: Iterable[int], has_privilege: bool) -> None:
        """`has_privilege`: whether the process that installs it has CAP_SYS_ADMIN.

        Others must give up set-user-ID programs for it (PR_SET_NO_NEW_PRIVS). Raises
        MachineError.
        """
        wanted = {AUDIT_ARCHITECTURES[os.uname().machine]: numbers}
        if of_i386 := i386_numbers():
            wanted[SYSCALL_ARCHITECTURE] = of_i386.values()
        self._filter = InstallableFilter(other_numbers()["seccomp"], filter_program(wanted))
        self._has_privilege = has_privilege

    def install(self) -> None:
        """Filter the calls of this thread and of all tasks it makes, for ever. Raises OSError."""
        if not self._has_privilege:
            give_up_privileges()
        self._filter.install()


def refusal() -> str:
    """Why a filter cannot stop calls for a tracer here; "" if it can. Raises MachineError."""
    return why_unavailable(other_numbers()["seccomp"], SECCOMP_RET_TRACE)
