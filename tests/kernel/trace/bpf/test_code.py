"""BPF instructions against the encodings of RFC 9669, and labels."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable

import pytest

from lab.kernel.trace.bpf.code import Calculation, Code, Condition, Register, Width

R0, R1, R2, R6, STACK = Register.R0, Register.R1, Register.R2, Register.R6, Register.STACK


def encoded(opcode: int, target: int, source: int, offset: int, constant: int) -> bytes:
    """The RFC's own order: opcode, registers, offset, immediate."""
    little = sys.byteorder == "little"
    registers = source << 4 | target if little else target << 4 | source
    return bytes((opcode, registers)) + struct.pack("=hi", offset, constant)


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda c: c.move(R1, 7), encoded(0xB7, 1, 0, 0, 7)),
        (lambda c: c.move(R1, STACK), encoded(0xBF, 1, 10, 0, 0)),
        (lambda c: c.add(R2, -8), encoded(0x07, 2, 0, 0, -8)),
        (lambda c: c.add(R2, R6), encoded(0x0F, 2, 6, 0, 0)),
        (lambda c: c.calculate(Calculation.SUB, R2, R1), encoded(0x1F, 2, 1, 0, 0)),
        (lambda c: c.calculate(Calculation.MUL, R2, 16), encoded(0x27, 2, 0, 0, 16)),
        (lambda c: c.calculate(Calculation.AND, R2, 0x3FF), encoded(0x57, 2, 0, 0, 0x3FF)),
        (lambda c: c.load(Width.U64, R1, R6, 8), encoded(0x79, 1, 6, 8, 0)),
        (lambda c: c.load(Width.U32, R1, R6, 8), encoded(0x61, 1, 6, 8, 0)),
        (lambda c: c.load(Width.U16, R1, R6, 8), encoded(0x69, 1, 6, 8, 0)),
        (lambda c: c.load(Width.U8, R1, R6, 8), encoded(0x71, 1, 6, 8, 0)),
        (lambda c: c.store(Width.U64, STACK, -8, R0), encoded(0x7B, 10, 0, -8, 0)),
        (lambda c: c.store(Width.U32, STACK, -8, 5), encoded(0x62, 10, 0, -8, 5)),
        (lambda c: c.store(Width.U16, R1, 10, R2), encoded(0x6B, 1, 2, 10, 0)),
        (lambda c: c.add_atomically(R1, 0, R2), encoded(0xDB, 1, 2, 0, 0)),
        (lambda c: c.call(14), encoded(0x85, 0, 0, 0, 14)),
        (lambda c: c.exit(), encoded(0x95, 0, 0, 0, 0)),
        (lambda c: c.load_map(R1, 9), encoded(0x18, 1, 1, 0, 9) + encoded(0, 0, 0, 0, 0)),
        (lambda c: c.load_map_value(R1, 9), encoded(0x18, 1, 2, 0, 9) + encoded(0, 0, 0, 0, 0)),
    ],
)
def test_an_instruction_is_encoded_as_the_rfc_says(
    write: Callable[[Code], object], expected: bytes
) -> None:
    code = Code()
    write(code)
    assert code.assemble() == expected


@pytest.mark.parametrize(
    ("condition", "opcode"),
    [
        (Condition.EQ, 0x15),
        (Condition.GT, 0x25),
        (Condition.GE, 0x35),
        (Condition.NE, 0x55),
        (Condition.LT, 0xA5),
        (Condition.LE, 0xB5),
        (Condition.SIGNED_LT, 0xC5),
    ],
)
def test_a_jump_goes_to_its_label(condition: Condition, opcode: int) -> None:
    code = Code()
    back, on = code.label(), code.label()
    code.place(back)
    code.jump_if(R1, condition, 3, on)
    code.jump_if(R1, condition, R2, back)
    code.jump(on)
    code.exit()
    code.place(on)
    code.exit()
    first, second, third = (code.assemble()[at : at + 8] for at in (0, 8, 16))
    assert first == encoded(opcode, 1, 0, 3, 3)
    assert second == encoded(opcode | 0x08, 1, 2, -2, 0)
    assert third == encoded(0x05, 0, 0, 1, 0)


def test_a_jump_counts_a_64_bit_load_as_two() -> None:
    code = Code()
    on = code.label()
    code.jump(on)
    code.load_map(R1, 1)
    code.place(on)
    code.exit()
    assert code.assemble()[:8] == encoded(0x05, 0, 0, 2, 0)


def test_the_lesser_of_two_is_a_jump_over_a_move() -> None:
    code = Code()
    code.at_most(R1, 128)
    assert code.assemble() == encoded(0xB5, 1, 0, 1, 128) + encoded(0xB7, 1, 0, 0, 128)


def test_a_label_that_was_never_placed_is_an_error() -> None:
    code = Code()
    code.jump(code.label())
    with pytest.raises(KeyError):
        code.assemble()


def test_a_jump_too_far_is_an_error() -> None:
    code = Code()
    on = code.label()
    code.jump(on)
    for _ in range(1 << 15):
        code.move(R0, 0)
    code.place(on)
    with pytest.raises(struct.error):
        code.assemble()
