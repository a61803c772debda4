"""What the BPF programs read for each system call, derived from the call table."""

from __future__ import annotations

from lab.frozen import frozen
from lab.kernel.trace.bpf.records import SECTION_HEADER, SECTIONS_AT
from lab.records import MEMORY_LIMIT_BYTES
from lab.syscalls.numbers import NUMBERS, OTHER_NUMBERS
from lab.syscalls.table import CALLS, Layout, Pointer, Size

MESSAGE_PARTS = 3
"""The most sections that one pointer can have: a struct msghdr's."""

NUMBER_LIMIT = 512
"""Above every system call's number."""

NOT_WANTED, PLAIN = 0, 255
"""The plans of calls that are not recorded, and of those that have no pointers."""

RESTART = "restart_syscall"
"""The call that the kernel makes a thread make to resume one that a signal interrupted."""

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
    by_number[OTHER_NUMBERS[machine][RESTART]] = PLAIN
    for name, number in NUMBERS[machine].items():
        shape = CALLS[name]
        if not shape.pointers:
            by_number[number] = PLAIN
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
    assert len(plans) < PLAIN
    return plans, bytes(by_number)


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

RECORD_LIMIT_BYTES = max(SECTIONS_AT.values()) + MESSAGE_PARTS * (
    SECTION_HEADER.size + MEMORY_LIMIT_BYTES
)
"""The longest record."""
