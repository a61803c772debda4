"""What the BPF programs read for each call, as the call table gives it."""

from __future__ import annotations

import pytest

from lab.kernel.trace.bpf.plans import (
    NOT_WANTED,
    PLAIN,
    REGISTERS,
    RESTART,
    CallPlan,
    call_plans,
)
from lab.syscalls.numbers import NUMBERS, OTHER_NUMBERS
from lab.syscalls.table import CALLS

MACHINES = sorted(REGISTERS)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_has_a_plan_with_its_pointers(machine: str) -> None:
    plans, by_number = call_plans(machine)
    assert len(set(plans)) == len(plans)
    pointers = {n: CALLS[name].pointers for name, n in NUMBERS[machine].items()}
    pointers[OTHER_NUMBERS[machine][RESTART]] = ()
    for number, plan in enumerate(by_number):
        if plan in (NOT_WANTED, PLAIN):
            assert pointers.get(number) == (None if plan == NOT_WANTED else ())
        else:
            assert plans[plan - 1].pointers == pointers[number] != ()


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
