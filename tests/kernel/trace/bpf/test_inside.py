"""The code that distinguishes whose calls are recorded; test_call_reader.py has a kernel run it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.kernel.trace.bpf.btf import PATH, kernel_btf
from lab.kernel.trace.bpf.code import Code
from lab.kernel.trace.bpf.inside import (
    STACK_BYTES,
    TaskOffsets,
    end_unless_in_namespace,
    end_unless_inside,
)

OFFSETS = TaskOffsets(tid=1, leader=2, began=3, thread_pid=4, depth=5, upids=6, inode=7)
INSTRUCTION_BYTES = 8
AND, MULTIPLY = 0x57, 0x27  # of 64 bits, with a constant


Write = Callable[[Code, int], None]


def hot(code: Code, end: int) -> None:
    end_unless_inside(code, 9, OFFSETS, -STACK_BYTES, end)


def rare(code: Code, end: int) -> None:
    end_unless_inside(code, 9, OFFSETS, -STACK_BYTES, end, is_hot=False)


def of_any_age(code: Code, end: int) -> None:
    end_unless_in_namespace(code, 9, OFFSETS, -STACK_BYTES, end)


def made(write: Write) -> bytes:
    code = Code()
    end = code.label()
    write(code, end)
    code.place(end)
    code.exit()
    return code.assemble()


def helpers(code: bytes) -> int:
    """How many helpers it calls."""
    return sum(code[at] == 0x85 for at in range(0, len(code), INSTRUCTION_BYTES))


def test_a_hot_program_calls_fewer_helpers() -> None:
    assert helpers(made(hot)) < helpers(made(of_any_age)) < helpers(made(rare))


@pytest.mark.parametrize("write", [hot, rare, of_any_age])
def test_the_stack_that_it_uses_is_no_more_than_it_says(write: Write) -> None:
    used = set()
    text = made(write)
    for at in range(0, len(text), INSTRUCTION_BYTES):
        opcode, registers = text[at], text[at + 1]
        offset = int.from_bytes(text[at + 2 : at + 4], "little", signed=True)
        # A load or store whose address is in register 10.
        if (opcode & 7 == 1 and registers >> 4 == 10) or (opcode & 6 == 2 and registers & 15 == 10):
            used.add(offset)
    assert used
    assert all(-STACK_BYTES <= offset <= -4 for offset in used)


@pytest.mark.parametrize("write", [hot, rare, of_any_age])
def test_what_is_added_to_a_pointer_is_bounded(write: Write) -> None:
    """Linux 6.1 refuses the program otherwise; later kernels do not."""
    code = made(write)
    instructions = [code[at : at + 8] for at in range(0, len(code), INSTRUCTION_BYTES)]
    (place,) = (place for place, each in enumerate(instructions) if each[0] == MULTIPLY)
    mask = instructions[place - 1]
    assert (mask[0], mask[1]) == (AND, instructions[place][1])
    assert int.from_bytes(mask[4:], "little") == 0x3F


@pytest.mark.kernel
def test_the_members_are_those_of_this_kernel() -> None:
    if not Path(PATH).exists():
        pytest.skip("this kernel has no BTF")
    offsets = TaskOffsets.of(kernel_btf())
    places = offsets.tid, offsets.leader, offsets.began, offsets.thread_pid
    assert len(set(places)) == 4
    assert all(at % 4 == 0 for at in places)
    assert offsets.depth < offsets.upids
    assert os.sysconf("SC_LONG_BIT") == 64
