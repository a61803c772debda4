"""Maps for programs that no kernel runs, and what their code is made of."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from lab.kernel.trace.bpf.builder import Maps
from lab.kernel.trace.bpf.inside import TaskOffsets

TASKS = TaskOffsets(tid=1, leader=2, began=3, thread_pid=4, depth=5, upids=6, inode=7)
MAPS = Maps(plans=3, rooms=4, scratch=5, ring=6, lost=7, followed=8, offsets=TASKS)

CALL, EXIT, LOAD_64 = 0x85, 0x95, 0x18
JUMP_CLASS = 0x05
INSTRUCTIONS_LIMIT = 4096
"""More may not be in a program of somebody without CAP_BPF; and so few are verified quickly."""


def instructions(code: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Place, opcode, offset and constant; of a 64-bit load the first half alone."""
    second_half = False
    for place, (opcode, _, offset, constant) in enumerate(struct.iter_unpack("=BBhi", code)):
        if not second_half:
            yield place, opcode, offset, constant
        second_half = opcode == LOAD_64


def assert_goes_forward_and_ends(code: bytes) -> None:
    """Every jump leads forward to an instruction, and the last one ends the program."""
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


def differing(code: bytes, other: bytes) -> list[int]:
    """The places of the instructions in which they differ; they must have equally many."""
    assert len(code) == len(other)
    return [at for at in range(0, len(code), 8) if code[at : at + 8] != other[at : at + 8]]
