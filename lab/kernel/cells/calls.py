"""The filter of system calls in a cell: a call that is refused fails with EPERM, and ends nothing.

Source: seccomp(2), clone(2), socket(2); lab/syscalls/refused.py.
"""

from __future__ import annotations

import errno
import os
import socket

from lab.errors import MachineError
from lab.kernel.system.seccomp import (
    AUDIT_ARCHITECTURES,
    JUMP_IF_ANY_BIT,
    JUMP_IF_EQUAL,
    SECCOMP_RET_ALLOW,
    SECCOMP_RET_ERRNO,
    InstallableFilter,
    Instruction,
    Instructions,
    argument,
    by_architecture,
    by_number,
    returns,
)
from lab.syscalls.numbers import NUMBERS, OTHER_NUMBERS
from lab.syscalls.refused import NEWEST, REFUSED_NUMBERS

NEW_NAMESPACES = 0x7E020080
"""CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET: sched.h."""
FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
X32_BIT = 0x40000000
NETLINK_ROUTE = 0

REFUSAL = SECCOMP_RET_ERRNO | errno.EPERM
_ALLOWED = returns(SECCOMP_RET_ALLOW)
_REFUSED = returns(REFUSAL)
_UNKNOWN = returns(SECCOMP_RET_ERRNO | errno.ENOSYS)


def cell_program(machine: str) -> list[Instruction]:
    """The filter's program on such a machine (uname -m).

    Calls of other architectures are refused, those of x32 too: they would need a filter of their
    own. Raises MachineError for a machine whose numbers the lab does not have.
    """
    if machine not in REFUSED_NUMBERS:
        known = " and ".join(REFUSED_NUMBERS)
        raise MachineError(
            f"cannot hold a program in a cell on {machine}: the lab has the numbers of system "
            f"calls for {known} only"
        )
    numbers, others = NUMBERS[machine], OTHER_NUMBERS[machine]
    codes: dict[int, Instructions] = dict.fromkeys(REFUSED_NUMBERS[machine].values(), _REFUSED)
    codes[others["clone"]] = _clone()
    # Its flags are in memory, which a filter cannot read: libc takes clone(2) then.
    codes[others["clone3"]] = _UNKNOWN
    codes[numbers["socket"]] = _socket()
    codes[numbers["socketpair"]] = _socket()
    beyond = ((NEWEST + 1, _UNKNOWN), (X32_BIT, _REFUSED))
    code = by_number(codes, _ALLOWED, beyond)
    return by_architecture({AUDIT_ARCHITECTURES[machine]: code}, REFUSAL)


def cell_filter() -> InstallableFilter:
    """The filter for this machine. Raises MachineError."""
    machine = os.uname().machine
    program = cell_program(machine)
    return InstallableFilter(OTHER_NUMBERS[machine]["seccomp"], program)


def _clone() -> Instructions:
    """No namespaces: the flags are the first argument, on these machines."""
    return [argument(0), (JUMP_IF_ANY_BIT, 0, 1, NEW_NAMESPACES), *_REFUSED, *_ALLOWED]


def _socket() -> Instructions:
    """Unix and internet sockets, and netlink's to ask which interfaces there are."""
    asking = [argument(2), (JUMP_IF_EQUAL, 0, 1, NETLINK_ROUTE), *_ALLOWED, *_REFUSED]
    code: list[Instruction] = [(JUMP_IF_EQUAL, 0, len(asking), socket.AF_NETLINK), *asking]
    code += _REFUSED
    for family in FAMILIES:
        code = [(JUMP_IF_EQUAL, 0, 1, family), *_ALLOWED, *code]
    return [argument(0), *code]
