"""Code put together; what the kernel makes of it is in the tests of the filters."""

from __future__ import annotations

import errno
import os

import pytest
from filter_verdict import verdict
from hypothesis import given
from hypothesis import strategies as st

from lab.kernel.system import seccomp
from lab.kernel.system.seccomp import (
    AUDIT_ARCHITECTURES,
    InstallableFilter,
    by_architecture,
    by_number,
    give_up_privileges,
    returns,
    why_unavailable,
)
from lab.syscalls.numbers import OTHER_NUMBERS

THIS = os.uname().machine
X86_64 = AUDIT_ARCHITECTURES["x86_64"]
OTHERWISE, BEYOND = 7000, 8000


@given(st.dictionaries(st.integers(0, 400), st.integers(1, 5)), st.integers(0, 500))
def test_each_number_has_its_own_code(codes: dict[int, int], number: int) -> None:
    made = {each: returns(action) for each, action in codes.items()}
    code = by_number(made, returns(OTHERWISE), ((450, returns(BEYOND)),))
    expected = BEYOND if number >= 450 else codes.get(number, OTHERWISE)
    assert verdict(by_architecture({X86_64: code}, 0), X86_64, number)[0] == expected


def test_no_jump_is_farther_than_a_byte_however_long_the_code() -> None:
    made = {2 * number: returns(number) for number in range(1, 600)}
    program = by_architecture({X86_64: by_number(made, returns(OTHERWISE))}, 0)
    assert all(0 <= skip <= 255 for _, *skips, _ in program for skip in skips)
    for number in range(1300):
        expected = number // 2 if number % 2 == 0 and 0 < number < 1200 else OTHERWISE
        assert verdict(program, X86_64, number)[0] == expected


def test_calls_of_other_architectures_have_an_action_of_their_own() -> None:
    program = by_architecture({X86_64: returns(1), 5: returns(2)}, 3)
    assert [verdict(program, each, 0)[0] for each in (X86_64, 5, 6)] == [1, 2, 3]


def test_an_installed_filter_is_for_the_process_and_what_it_makes() -> None:
    if THIS not in OTHER_NUMBERS:
        pytest.skip("a machine without numbers")
    refusing = seccomp.SECCOMP_RET_ERRNO | errno.EXFULL
    getppid = {"x86_64": 110, "aarch64": 173}[THIS]
    code = by_number({getppid: returns(refusing)}, returns(seccomp.SECCOMP_RET_ALLOW))
    program = by_architecture({AUDIT_ARCHITECTURES[THIS]: code}, seccomp.SECCOMP_RET_ALLOW)
    made = InstallableFilter(OTHER_NUMBERS[THIS]["seccomp"], program)
    child = os.fork()
    if child == 0:
        before = os.getppid()
        give_up_privileges()
        made.install()
        seccomp._LIBC.syscall(getppid, 0, 0, 0, 0)
        import ctypes

        os._exit(0 if before > 0 and ctypes.get_errno() == errno.EXFULL else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_an_action_that_there_is_not_is_unavailable() -> None:
    if THIS not in OTHER_NUMBERS:
        pytest.skip("a machine without numbers")
    call = OTHER_NUMBERS[THIS]["seccomp"]
    assert why_unavailable(call, seccomp.SECCOMP_RET_ERRNO) == ""
    assert "not supported" in why_unavailable(call, 0x12340000)
