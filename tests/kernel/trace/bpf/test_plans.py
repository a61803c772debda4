"""Records of the BPF programs joined to peeks, and the plans that the table gives."""

from __future__ import annotations

import pytest

from lab.kernel.trace.bpf.memory import Peek, join_peeks
from lab.kernel.trace.bpf.plans import (
    NOT_WANTED,
    PARTS,
    RECORD_HEADER,
    REGISTERS,
    SECTION_HEADER,
    CallPlan,
    call_plans,
    plans_at_work,
)
from lab.records import Memory
from lab.syscalls.numbers import NUMBERS
from lab.syscalls.table import CALLS

MACHINES = sorted(REGISTERS)


def section(data: bytes, length: int | None = None, argument: int = 1, part: str = "") -> bytes:
    told = len(data) if length is None else length
    return SECTION_HEADER.pack(told, argument, PARTS.index(part), len(data)) + data


def entry(time_ns: int, tid: int, number: int, *sections: bytes) -> bytes:
    return RECORD_HEADER.pack(time_ns, tid, number, 0) + b"".join(sections)


def leave(time_ns: int, tid: int, number: int, *sections: bytes) -> bytes:
    return RECORD_HEADER.pack(time_ns, tid, number, 1) + b"".join(sections)


def peeks(*records: bytes, difference: int = 0) -> dict[int, list[Peek]]:
    return join_peeks((record, difference) for record in records)


def memory(data: bytes, length: int, at_exit: bool = False, part: str = "") -> Memory:
    return Memory(1, part, at_exit, data, length)


def test_each_record_is_a_call_of_its_thread() -> None:
    found = peeks(
        entry(10, 7, 1, section(b"out", 300)),
        leave(11, 8, 0, section(b"for 8")),
        leave(12, 7, 0, section(b"for 7")),
        leave(13, 7, 0),
        difference=1000,
    )
    assert found == {
        7: [
            Peek(1, 1010, False, (memory(b"out", 300),)),
            Peek(0, 1012, True, (memory(b"for 7", 5, True),)),
            Peek(0, 1013, True, ()),
        ],
        8: [Peek(0, 1011, True, (memory(b"for 8", 5, True),))],
    }


def test_every_part_of_a_message_is_told_apart() -> None:
    parts = ("name", "data", "control")
    found = peeks(entry(10, 7, 46, *(section(part.encode(), part=part) for part in parts)))
    assert found[7][0].memory == tuple(memory(p.encode(), len(p), part=p) for p in parts)


def test_each_record_has_its_own_difference_of_clocks() -> None:
    found = join_peeks([(entry(10, 7, 1), 1000), (leave(20, 7, 0), 2000)])
    assert [one.time_ns for one in found[7]] == [1010, 2020]


def test_nothing_is_told_of_what_could_not_be_read() -> None:
    found = peeks(entry(10, 7, 20, section(b"", 300), section(b"", 0)))
    assert found[7][0].memory == (memory(b"", 0),)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_that_has_pointers_has_a_plan_with_them(machine: str) -> None:
    plans, by_number = call_plans(machine)
    assert len(set(plans)) == len(plans)
    with_pointers = {n: CALLS[name].pointers for name, n in NUMBERS[machine].items()}
    for number, plan in enumerate(by_number):
        pointers = plans[plan - 1].pointers if plan != NOT_WANTED else ()
        assert pointers == with_pointers.get(number, ())


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_are_looked_at_where_there_is_work(machine: str) -> None:
    plans, by_number = call_plans(machine)

    def moments(name: str) -> tuple[bool, bool]:
        number = NUMBERS[machine][name]
        at_entry, at_exit = (plans_at_work(plans, by_number, at)[number] for at in (False, True))
        assert {at_entry, at_exit} <= {NOT_WANTED, by_number[number]}
        return at_entry != NOT_WANTED, at_exit != NOT_WANTED

    assert moments("close") == (False, False)
    assert moments("sendmsg") == moments("write") == (True, False)
    assert moments("read") == moments("readv") == moments("pipe2") == (False, True)
    # The entry remembers how much room there is.
    assert moments("recvmsg") == moments("recvfrom") == moments("accept4") == (True, True)


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
    places = (*registers.arguments, registers.number)
    assert all(at % 8 == 0 and at + 8 <= registers.length for at in places)
    assert registers.number not in registers.arguments
