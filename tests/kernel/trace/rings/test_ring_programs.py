"""The programs at io_uring's tracepoints as bytes; test_ring_reader.py has a kernel run them."""

from __future__ import annotations

import struct
from itertools import pairwise

from program_maps import TASKS

from lab.kernel.trace.rings.ring_programs import (
    RingMaps,
    RingOffsets,
    completed_program,
    created_program,
    overflown_program,
    registered_program,
    submitted_program,
)

MAPS = RingMaps(rings=3, requests=4, scratch=5, ring=6, lost=7, followed=8, tasks=TASKS)
OFFSETS = RingOffsets(80, 64, 72, 96, 0, 0, 96, 104, 112, 116, 32, 24, 0, 64, 24)
EXIT, LOAD = 0x95, 0x79


def instructions(code: bytes) -> list[tuple[int, int, int, int]]:
    return list(struct.iter_unpack("=BBhi", code))


def arguments_used(code: bytes) -> set[int]:
    """The tracepoint's arguments that are loaded: behind each load of where they are."""
    found = instructions(code)
    return {
        offset // 8
        for (first, _, at, _), (opcode, _, offset, _) in pairwise(found)
        if (first, at, opcode) == (LOAD, -48, LOAD)
    }


def test_each_ends_once() -> None:
    for code in (
        created_program(MAPS, OFFSETS),
        submitted_program(MAPS, OFFSETS, 0),
        completed_program(MAPS, OFFSETS, has_fields=True),
        overflown_program(MAPS, OFFSETS),
        registered_program(MAPS, OFFSETS),
    ):
        opcodes = [opcode for opcode, _, _, _ in instructions(code)]
        assert opcodes.count(EXIT) == 1
        assert opcodes[-1] == EXIT


def test_each_uses_the_arguments_that_its_tracepoint_has() -> None:
    """The kernel refuses a program that uses more: by that the two completions differ."""
    assert arguments_used(created_program(MAPS, OFFSETS)) == {0, 1}
    assert arguments_used(submitted_program(MAPS, OFFSETS, 0)) == {0}
    assert arguments_used(submitted_program(MAPS, OFFSETS, 1)) == {1}
    assert arguments_used(completed_program(MAPS, OFFSETS, has_fields=True)) == {0, 1, 2, 3, 4}
    assert arguments_used(completed_program(MAPS, OFFSETS, has_fields=False)) == {0, 1, 2}
    assert arguments_used(registered_program(MAPS, OFFSETS)) == {0}
    assert arguments_used(overflown_program(MAPS, OFFSETS)) == {0, 1, 2, 3}
