"""What the BPF programs do for each call, as the call table gives it."""

from __future__ import annotations

import pytest

from lab.kernel.trace.bpf.plans import (
    NOT_WANTED,
    REGISTERS,
    CallPlan,
    call_plans,
    plans_at_work,
)
from lab.syscalls.numbers import NUMBERS
from lab.syscalls.table import CALLS

MACHINES = sorted(REGISTERS)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_that_has_pointers_has_a_plan_with_them(machine: str) -> None:
    plans, by_number = call_plans(machine)
    assert len(set(plans)) == len(plans)
    with_pointers = {n: CALLS[name].pointers for name, n in NUMBERS[machine].items()}
    for number, plan in enumerate(by_number):
        pointers = plans[plan - 1].pointers if plan != NOT_WANTED else ()
        assert pointers == with_pointers.get(number, ())


@pytest.mark.parametrize("machine", MACHINES)
def test_a_plan_is_at_work_only_where_there_is_something_to_do(machine: str) -> None:
    plans, by_number = call_plans(machine)

    def sides(name: str) -> tuple[bool, bool]:
        number = NUMBERS[machine][name]
        at_entry, at_exit = (plans_at_work(plans, by_number, at)[number] for at in (False, True))
        assert {at_entry, at_exit} <= {NOT_WANTED, by_number[number]}
        return at_entry != NOT_WANTED, at_exit != NOT_WANTED

    assert sides("close") == (False, False)
    assert sides("sendmsg") == sides("write") == (True, False)
    assert sides("read") == sides("readv") == sides("pipe2") == (False, True)
    # The entry remembers how much room there is.
    assert sides("recvmsg") == sides("recvfrom") == sides("accept4") == (True, True)


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
