"""Records of the BPF programs joined to peeks, and the plans that the table gives."""

from __future__ import annotations

import pytest

from lab.kernel.memory_plans import (
    NOT_WANTED,
    PARTS,
    RECORD_HEADER,
    REGISTERS,
    SECTION_HEADER,
    CallPlan,
    call_plans,
)
from lab.kernel.syscall_numbers import NUMBERS
from lab.kernel.trace_memory import Peek, join_peeks
from lab.records import Memory
from lab.syscall_table import CALLS

MACHINES = sorted(REGISTERS)


def section(data: bytes, length: int | None = None, argument: int = 1, part: str = "") -> bytes:
    told = len(data) if length is None else length
    return SECTION_HEADER.pack(told, argument, PARTS.index(part), len(data)) + data


def entry(time_ns: int, tid: int, number: int, *sections: bytes) -> bytes:
    return RECORD_HEADER.pack(time_ns, tid, number, 0) + b"".join(sections)


def leave(tid: int, number: int, *sections: bytes) -> bytes:
    return RECORD_HEADER.pack(0, tid, number, 1) + b"".join(sections)


def peeks(*records: bytes, difference: int = 0) -> dict[int, list[Peek]]:
    return join_peeks((record, difference) for record in records)


def memory(data: bytes, length: int, at_exit: bool = False, part: str = "") -> Memory:
    return Memory(1, part, at_exit, data, length)


def test_an_exit_belongs_to_its_threads_last_entry() -> None:
    found = peeks(
        entry(10, 7, 1, section(b"out", 300)),
        entry(11, 8, 0),
        leave(7, 1),
        entry(12, 7, 0),
        leave(8, 0, section(b"for 8")),
        leave(7, 0, section(b"for 7")),
        difference=1000,
    )
    assert found == {
        7: [
            Peek(1, 1010, (memory(b"out", 300),), True),
            Peek(0, 1012, (memory(b"for 7", 5, True),), True),
        ],
        8: [Peek(0, 1011, (memory(b"for 8", 5, True),), True)],
    }


def test_every_part_of_a_message_is_told_apart() -> None:
    parts = ("name", "data", "control")
    found = peeks(entry(10, 7, 46, *(section(part.encode(), part=part) for part in parts)))
    assert found[7][0].memory == tuple(memory(p.encode(), len(p), part=p) for p in parts)


def test_each_record_has_its_own_difference_of_clocks() -> None:
    found = join_peeks([(entry(10, 7, 0), 1000), (leave(7, 0), 9000), (entry(20, 7, 0), 2000)])
    assert [(one.entry_ns, one.gone) for one in found[7]] == [(1010, True), (2020, False)]


def test_an_exit_without_its_entry_is_left_out() -> None:
    """Of a call that an earlier result told, or at the beginning."""
    assert peeks(leave(7, 0, section(b"late"))) == {}
    again = peeks(entry(10, 7, 0), leave(7, 0), leave(7, 0, section(b"late")))
    assert again == {7: [Peek(0, 10, (), True)]}
    assert peeks(entry(10, 7, 0), leave(7, 1)) == {7: [Peek(0, 10, (), False)]}


def test_nothing_is_told_of_what_could_not_be_read() -> None:
    found = peeks(entry(10, 7, 20, section(b"", 300), section(b"", 0)))
    assert found[7][0].memory == (memory(b"", 0),)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_of_the_table_has_a_plan_with_its_pointers(machine: str) -> None:
    plans, by_number = call_plans(machine)
    assert len(set(plans)) == len(plans)
    for name, number in NUMBERS[machine].items():
        assert plans[by_number[number] - 1].pointers == CALLS[name].pointers
    wanted = set(NUMBERS[machine].values())
    assert all(by_number[n] == NOT_WANTED for n in range(len(by_number)) if n not in wanted)


@pytest.mark.parametrize("machine", MACHINES)
def test_only_lengths_of_32_bits_are_cut(machine: str) -> None:
    plans, by_number = call_plans(machine)

    def plan(name: str) -> CallPlan:
        return plans[by_number[NUMBERS[machine][name]] - 1]

    assert plan("bind").narrow == {2}
    assert plan("write").narrow == set()
    assert plan("sendto").narrow == {5}
    assert plan("ppoll").narrow == {1}
    # Their addrlen is a pointer.
    assert plan("accept").narrow == plan("recvfrom").narrow == set()


@pytest.mark.parametrize("machine", MACHINES)
def test_all_arguments_are_in_what_is_copied_of_the_registers(machine: str) -> None:
    registers = REGISTERS[machine]
    assert len(set(registers.arguments)) == 6
    assert all(at % 8 == 0 and at + 8 <= registers.length for at in registers.arguments)
