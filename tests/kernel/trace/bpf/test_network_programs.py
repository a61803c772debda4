"""The network programs as bytes; test_network_reader.py has a kernel run them."""

from __future__ import annotations

import struct

from lab.kernel.trace.bpf.network_programs import (
    NetworkMaps,
    Offsets,
    TcpOffsets,
    drop_program,
    reset_program,
    state_program,
)

MAPS = NetworkMaps(namespaces=3, scratch=4, ring=5, lost=6)
OFFSETS = Offsets(16, 24, 144, 112, 176, 180, 184, 192, 200, 264, 48, 176)
TCP = TcpOffsets(516, tuple(range(1000, 1064, 4)), (2000, 2008))
EXIT, LOAD_64 = 0x95, 0x18


def opcodes(code: bytes) -> list[int]:
    return [opcode for opcode, _, _, _ in struct.iter_unpack("=BBhi", code)]


def test_each_ends_once() -> None:
    for code in (
        state_program(MAPS, OFFSETS, None),
        state_program(MAPS, OFFSETS, TCP),
        reset_program(MAPS, OFFSETS),
        drop_program(MAPS, OFFSETS, 2, names_receiver=True),
        drop_program(MAPS, OFFSETS, 2, names_receiver=False),
    ):
        assert opcodes(code).count(EXIT) == 1
        assert opcodes(code)[-1] == EXIT


def test_the_receiving_socket_is_read_only_where_the_tracepoint_has_it() -> None:
    """An argument that it has not would be another function's."""
    with_it, without = (
        drop_program(MAPS, OFFSETS, 2, names_receiver=names) for names in (True, False)
    )
    fourth = struct.pack("=BBh", 0x79, 6 << 4 | 8, 24)  # R8 = *(u64 *)(R6 + 24)
    assert with_it.count(fourth) == 1
    assert without.count(fourth) == 0
