"""A filter of system calls, interpreted as the kernel would."""

from __future__ import annotations

from collections.abc import Sequence

from lab.kernel.system import seccomp
from lab.kernel.system.seccomp import Instruction


def verdict(
    program: Sequence[Instruction], architecture: int, number: int, *arguments: int
) -> tuple[int, int]:
    """What the program returns, and after how many instructions.

    It may read no argument that is not given.
    """
    data = {seccomp.NUMBER: number, seccomp.ARCHITECTURE: architecture}
    data |= {seccomp.ARGUMENTS + 8 * place: value for place, value in enumerate(arguments)}
    place, accumulator, steps = 0, 0, 0
    while True:
        code, if_true, if_false, constant = program[place]
        steps += 1
        place += 1
        match code:
            case seccomp.LOAD_WORD:
                accumulator = data[constant]
            case seccomp.JUMP_ALWAYS:
                place += constant
            case seccomp.JUMP_IF_EQUAL:
                place += if_true if accumulator == constant else if_false
            case seccomp.JUMP_IF_AT_LEAST:
                place += if_true if accumulator >= constant else if_false
            case seccomp.JUMP_IF_ANY_BIT:
                place += if_true if accumulator & constant else if_false
            case seccomp.RETURN:
                return constant, steps
            case _:
                raise AssertionError(f"no such code: {code}")
