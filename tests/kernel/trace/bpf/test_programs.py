"""The BPF programs as bytes; test_call_reader.py has a kernel run them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from program_maps import MAPS, assert_goes_forward_and_ends, differing

from lab.kernel.trace.bpf.compat import CompatMaps, CompatOffsets
from lab.kernel.trace.bpf.plans import REGISTERS, call_plans
from lab.kernel.trace.bpf.programs import entry_program, exit_program

COMPAT = CompatMaps(made=9, offsets=CompatOffsets(status=8, process=9))


def programs(machine: str, followed: int = 8) -> list[bytes]:
    """With and without calls by the i386 table."""
    plans, _ = call_plans(machine)
    maps = replace(MAPS, followed=followed)
    return [
        make(maps, plans, REGISTERS[machine], compat)
        for make in (entry_program, exit_program)
        for compat in (None, COMPAT)
    ]


@pytest.mark.parametrize("machine", sorted(REGISTERS))
def test_a_program_only_goes_forward_and_ends(machine: str) -> None:
    for code in programs(machine):
        assert_goes_forward_and_ends(code)


@pytest.mark.parametrize("machine", sorted(REGISTERS))
def test_each_asks_the_map_that_says_who_is_followed(machine: str) -> None:
    for code, other in zip(programs(machine), programs(machine, 99), strict=True):
        assert differing(code, other)
