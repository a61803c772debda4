"""The filter, interpreted as the kernel would."""

from __future__ import annotations

import os

import pytest
from filter_verdict import verdict
from hypothesis import given
from hypothesis import strategies as st

from lab.kernel.system.seccomp import AUDIT_ARCHITECTURES, SECCOMP_RET_ALLOW, SECCOMP_RET_TRACE
from lab.kernel.trace.ptrace import seccomp
from lab.kernel.trace.ptrace.seccomp import filter_program
from lab.syscalls.i386 import I386_NUMBERS, SYSCALL_ARCHITECTURE
from lab.syscalls.numbers import NUMBERS, OTHER_NUMBERS

X86_64 = AUDIT_ARCHITECTURES["x86_64"]
X32_BIT = 0x40000000


@given(st.sets(st.integers(0, 500)), st.integers(0, 510))
def test_wanted_calls_are_traced_and_all_others_allowed(wanted: set[int], number: int) -> None:
    program = filter_program({X86_64: wanted})
    expected = SECCOMP_RET_TRACE if number in wanted else SECCOMP_RET_ALLOW
    assert verdict(program, X86_64, number)[0] == expected


@pytest.mark.parametrize("machine", NUMBERS)
def test_the_filter_of_each_machine_is_one_that_the_kernel_takes(machine: str) -> None:
    wanted = {*NUMBERS[machine].values(), *OTHER_NUMBERS[machine].values()}
    program = filter_program(
        {AUDIT_ARCHITECTURES[machine]: wanted, SYSCALL_ARCHITECTURE: I386_NUMBERS.values()}
    )
    assert all(0 <= number <= 255 for _, *skips, _ in program for number in skips)
    for number in range(500):
        returned, steps = verdict(program, AUDIT_ARCHITECTURES[machine], number)
        assert (returned == SECCOMP_RET_TRACE) == (number in wanted)
        assert steps <= 12
        returned, steps = verdict(program, SYSCALL_ARCHITECTURE, number)
        assert (returned == SECCOMP_RET_TRACE) == (number in I386_NUMBERS.values())
        assert steps <= 12


def test_calls_of_another_architecture_and_of_x32_are_allowed() -> None:
    program = filter_program({X86_64: {0, 1}})
    assert verdict(program, SYSCALL_ARCHITECTURE, 1)[0] == SECCOMP_RET_ALLOW
    assert verdict(program, X86_64, 1 | X32_BIT)[0] == SECCOMP_RET_ALLOW


@pytest.mark.skipif(os.uname().machine not in NUMBERS, reason="a machine without numbers")
def test_this_kernel_has_filters_that_stop_calls() -> None:
    assert seccomp.refusal() == ""
