"""The network programs as bytes; test_network_reader.py has a kernel run them."""

from __future__ import annotations

import struct
from collections.abc import Callable

from lab.kernel.trace.networks.network_programs import (
    NetworkMaps,
    Offsets,
    TcpOffsets,
    drop_program,
    received_reset_program,
    retransmission_program,
    sent_reset_program,
    state_program,
    synack_program,
)

MAPS = NetworkMaps(namespaces=3, scratch=4, ring=5, lost=6)
OFFSETS = Offsets(
    16, 24, 144, 112, 176, 180, 184, 192, 200, 264, 176,  # of packets and devices
    48, 16, 18, 14, 12, 4, 0, 72, 56, 532, 814, 808,  # of sockets
)  # fmt: skip
TCP = TcpOffsets(tuple(range(1000, 1064, 4)), (2000, 2008))
EXIT, LOAD_64, CALL = 0x95, 0x18, 0x85
PROBE_READ_KERNEL = 113


def instructions(code: bytes) -> list[tuple[int, int, int, int]]:
    return list(struct.iter_unpack("=BBhi", code))


def reads(code: bytes) -> int:
    """How often it calls the helper that reads the kernel's memory."""
    return sum(
        (opcode, constant) == (CALL, PROBE_READ_KERNEL)
        for opcode, _, _, constant in instructions(code)
    )


def loads(code: bytes, argument: int) -> int:
    """How often it loads that argument of its tracepoint's, from R6."""
    return sum(
        (opcode, registers >> 4, offset) == (0x79, 6, 8 * argument)
        for opcode, registers, offset, _ in instructions(code)
    )


def test_each_ends_once() -> None:
    for code in (
        state_program(MAPS, OFFSETS, None),
        state_program(MAPS, OFFSETS, TCP),
        received_reset_program(MAPS, OFFSETS),
        retransmission_program(MAPS, OFFSETS, has_error=True),
        synack_program(MAPS, OFFSETS),
        sent_reset_program(MAPS, OFFSETS, has_reason=True),
        drop_program(MAPS, OFFSETS, 2, names_receiver=True),
        drop_program(MAPS, OFFSETS, 2, names_receiver=False),
    ):
        opcodes = [opcode for opcode, *_ in instructions(code)]
        assert opcodes.count(EXIT) == 1
        assert opcodes[-1] == EXIT


def test_an_argument_is_loaded_only_where_the_tracepoint_has_it() -> None:
    """One that it has not would be another function's."""
    built: tuple[tuple[Callable[[bool], bytes], int], ...] = (
        (lambda has: drop_program(MAPS, OFFSETS, 2, names_receiver=has), 3),
        (lambda has: retransmission_program(MAPS, OFFSETS, has_error=has), 2),
        (lambda has: sent_reset_program(MAPS, OFFSETS, has_reason=has), 2),
    )
    for build, argument in built:
        assert [loads(build(has), argument) for has in (True, False)] == [1, 0]


def test_a_change_of_state_costs_one_call_to_read_memory() -> None:
    """It runs several times in each connection; what has types is loaded."""
    assert reads(state_program(MAPS, OFFSETS, TCP)) == 1
