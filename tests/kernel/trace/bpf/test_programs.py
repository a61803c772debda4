"""The BPF programs as bytes; test_memory.py has a kernel run them."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from lab.kernel.trace.bpf.builder import Maps
from lab.kernel.trace.bpf.plans import REGISTERS, call_plans
from lab.kernel.trace.bpf.programs import entry_program, exit_program

MAPS = Maps(plans=3, rooms=4, scratch=5, ring=6, lost=7, inside=8)
CALL, EXIT, LOAD_64 = 0x85, 0x95, 0x18
JUMP_CLASS = 0x05
INSTRUCTIONS_LIMIT = 4096
"""More may not be in a program of somebody without CAP_BPF; and so few are verified quickly."""


def programs(machine: str, inside: int = 8) -> tuple[bytes, bytes]:
    plans, _ = call_plans(machine)
    given = MAPS._replace(inside=inside), plans, REGISTERS[machine], [1, 99]
    return entry_program(*given), exit_program(*given)


def instructions(code: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Place, opcode, offset and constant; of a 64-bit load the first half alone."""
    second_half = False
    for place, (opcode, _, offset, constant) in enumerate(struct.iter_unpack("=BBhi", code)):
        if not second_half:
            yield place, opcode, offset, constant
        second_half = opcode == LOAD_64


@pytest.mark.parametrize("machine", sorted(REGISTERS))
def test_a_program_only_goes_forward_and_ends(machine: str) -> None:
    for code in programs(machine):
        places = {place: opcode for place, opcode, _, _ in instructions(code)}
        jumps = [
            (place, place + 1 + offset)
            for place, opcode, offset, _ in instructions(code)
            if opcode & 0x07 == JUMP_CLASS and opcode not in (CALL, EXIT)
        ]
        assert jumps
        assert all(place < target and target in places for place, target in jumps)
        assert places[max(places)] == EXIT
        assert len(code) // 8 < INSTRUCTIONS_LIMIT


@pytest.mark.parametrize("machine", sorted(REGISTERS))
def test_the_map_that_has_the_namespace_is_in_both(machine: str) -> None:
    for code, other in zip(programs(machine), programs(machine, 9), strict=True):
        differing = [at for at in range(0, len(code), 8) if code[at : at + 8] != other[at : at + 8]]
        assert len(code) == len(other)
        assert len(differing) == 1
