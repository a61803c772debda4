"""Records of the network programs: bytes in, values out."""

from __future__ import annotations

from lab.kernel.trace.bpf.network_records import (
    CLOSED,
    DROP,
    DROP_HEADER,
    HEADER,
    PACKET_BYTES,
    RESET,
    STATE,
    ClosedOfRun,
    DropOfRun,
    StateOfRun,
    parse_network_records,
)


def drop(left: int, passed: int, packet: bytes) -> bytes:
    as_on_the_wire = int.from_bytes(b"\x86\xdd", "little")
    header = DROP_HEADER.pack(
        5, 0xFFFF888100C88D80, 40, DROP, 3, 7, left, passed, as_on_the_wire, len(packet)
    )
    return header + packet.ljust(PACKET_BYTES, b"?")


def test_a_state_is_a_time_and_an_address() -> None:
    assert parse_network_records([HEADER.pack(5, 9, 40, STATE)]) == ([StateOfRun(5, 9)], [], [])


def test_a_closed_socket_has_what_it_had_then() -> None:
    numbers = range(100, 100 + len(ClosedOfRun._fields) - 3)
    record = CLOSED.pack(5, 9, 40, STATE, *numbers)
    assert parse_network_records([record]) == (
        [StateOfRun(5, 9)],
        [],
        [ClosedOfRun(5, 9, 40, *numbers)],
    )


def test_an_rst_of_nobodys_has_the_address_of_what_it_answers() -> None:
    record = HEADER.pack(5, 9, 40, RESET)
    assert parse_network_records([record]) == ([StateOfRun(5, 9)], [], [])


def test_a_drop_has_its_packet_from_the_network_header_on() -> None:
    record = drop(60, 0, b"E\0packet")
    assert parse_network_records([record]) == (
        [],
        [DropOfRun(5, 40, 3, 7, 60, 0x86DD, b"E\0packet")],
        [],
    )


def test_a_length_counts_the_headers_that_the_kernel_had_passed() -> None:
    (at_tcp,) = parse_network_records([drop(40, 20, b"")])[1]
    (at_link,) = parse_network_records([drop(74, -14, b"")])[1]
    assert (at_tcp.length, at_link.length) == (60, 60)
