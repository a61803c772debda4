"""What the BPF programs do for each system call and what they write, derived from the call table.

A record is a header and, for each piece of memory that was read, a section's header and bytes.
Every call with pointers has one record: written at the call's exit if the kernel fills what
they point to, else at its entry.
"""

from __future__ import annotations

import struct

from lab.frozen import frozen
from lab.records import MEMORY_LIMIT_BYTES
from lab.syscalls.numbers import NUMBERS
from lab.syscalls.table import CALLS, Layout, Pointer, Size

RECORD_HEADER = struct.Struct("=QIHBx")
"""Time (ktime_get_ns), tid, the call's number, and whether both are of the call's exit."""

SECTION_HEADER = struct.Struct("=QBBH")
"""The length of the whole, the argument's index, the part's (`PARTS`), how many bytes follow."""

PARTS = ("", "name", "data", "control")
"""Memory.part, by its number in a section."""

MESSAGE_PARTS = 3
"""The most sections that one pointer can have: a struct msghdr's."""

NUMBER_LIMIT = 512
"""Above every system call's number."""

NOT_WANTED = 0
"""The plan of calls that are not traced or have no pointers."""

# 32 bits wide in the kernel: the register's upper half means nothing.
_NARROW = frozenset(("addrlen", "optlen", "nfds", "maxevents", "vlen", "nr_args"))


@frozen
class CallPlan:
    """What is read for a system call."""

    pointers: tuple[Pointer, ...]
    """At least one; all are followed at the entry, or all at the exit."""
    narrow: frozenset[int] = frozenset()
    """Indexes of the length arguments that are 32 bits wide."""

    @property
    def at_exit(self) -> bool:
        """Whether the pointers are followed at the exit; else, at the entry."""
        return self.pointers[0].at_exit

    def with_room(self) -> tuple[Pointer, ...]:
        """The pointers with a value-result length, whose value at the entry has to be kept.

        At the entry it says how much the kernel may write; at the exit, how much it would have
        written.
        """
        return tuple(
            pointer
            for pointer in self.pointers
            if pointer.at_exit
            and (pointer.size is Size.VALUE_RESULT or pointer.layout is Layout.MSGHDR)
        )


def length_argument(pointer: Pointer) -> int | None:
    """Index of the argument that limits the length, or counts the items, of what is pointed to.

    None if no argument does.
    """
    if pointer.layout is Layout.BYTES and pointer.size in (Size.RESULT, Size.ITEMS):
        return pointer.argument + 1
    return pointer.number if pointer.size is Size.ARGUMENT else None


def call_plans(machine: str) -> tuple[list[CallPlan], bytes]:
    """The distinct plans, and for each call's number its plan's position among them, from 1."""
    plans: list[CallPlan] = []
    by_number = bytearray(NUMBER_LIMIT)
    for name, number in NUMBERS[machine].items():
        shape = CALLS[name]
        if not shape.pointers:
            continue
        assert len({pointer.at_exit for pointer in shape.pointers}) == 1, name
        lengths = map(length_argument, shape.pointers)
        narrow = frozenset(
            at for at in lengths if at is not None and shape.arguments[at] in _NARROW
        )
        plan = CallPlan(shape.pointers, narrow)
        if plan not in plans:
            plans.append(plan)
        by_number[number] = plans.index(plan) + 1
    return plans, bytes(by_number)


def plans_at_work(plans: list[CallPlan], by_number: bytes, at_exit: bool) -> bytes:
    """`by_number` without the plans for which nothing is done at the exit, or at the entry."""
    idle = {
        place
        for place, plan in enumerate(plans, 1)
        if plan.at_exit != at_exit and (at_exit or not plan.with_room())
    }
    return bytes(NOT_WANTED if place in idle else place for place in by_number)


@frozen
class Registers:
    """Where struct pt_regs has a system call's arguments and number, on one machine.

    Until the call has returned they keep their values of the entry.
    """

    first: int
    """Offset of the first byte that is copied."""
    length: int
    """Bytes that are copied."""
    arguments: tuple[int, ...]
    """Offsets of the six arguments in what is copied."""
    number: int
    """Offset of the number, a u32, in what is copied."""


REGISTERS = {
    # struct pt_regs, arch/x86/include/uapi/asm/ptrace.h: r10 at 56, r9, r8, rax, rcx, rdx,
    # rsi, rdi, orig_rax; syscall(2): rdi, rsi, rdx, r10, r8, r9.
    "x86_64": Registers(56, 72, (56, 48, 40, 0, 16, 8), 64),
    # struct pt_regs, arch/arm64/include/asm/ptrace.h: x0 to x5 come first; at the exit x0 is
    # the result. orig_x0 at 272, then syscallno.
    "aarch64": Registers(0, 288, (272, 8, 16, 24, 32, 40), 280),
}

RECORD_LIMIT_BYTES = RECORD_HEADER.size + MESSAGE_PARTS * (SECTION_HEADER.size + MEMORY_LIMIT_BYTES)
"""The longest record."""
