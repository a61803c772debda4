from __future__ import annotations

import pytest

from lab.syscalls.numbers import NUMBERS
from lab.syscalls.waiting import NUMBERS_OF_WAITS, WAITS, WaitEnd, what_ends

FOR_EVER = 0xFFFFFFFF
"""-1 in a register's lower half: the upper one may have anything."""


def ends(name: str, *arguments: int, machine: str = "x86_64") -> WaitEnd:
    numbers = {name: number for number, name in NUMBERS_OF_WAITS[machine].items()}
    return what_ends(machine, numbers[name], (*arguments, *[0] * (6 - len(arguments))))


@pytest.mark.parametrize("machine", NUMBERS_OF_WAITS)
def test_the_numbers_are_the_kernels(machine: str) -> None:
    for number, name in NUMBERS_OF_WAITS[machine].items():
        assert name in WAITS
        assert NUMBERS[machine].get(name, number) == number


def test_a_wait_without_a_time_is_not_ended_by_it() -> None:
    for arguments in [(1, 1, FOR_EVER), (1, 1, 0xFFFFFFFF_FFFFFFFF)]:
        assert ends("poll", *arguments) is WaitEnd.NOT_BY_TIME
    assert ends("epoll_wait", 4, 1, 8, FOR_EVER) is WaitEnd.NOT_BY_TIME
    assert ends("select", 4, 1, 0, 0, 0) is WaitEnd.NOT_BY_TIME
    assert ends("futex", 4, 0, 2, 0, machine="aarch64") is WaitEnd.NOT_BY_TIME
    assert ends("wait4") is WaitEnd.NOT_BY_TIME


def test_a_wait_with_a_time_is() -> None:
    assert ends("poll", 1, 1, 0) is WaitEnd.BY_TIME
    assert ends("epoll_wait", 4, 1, 8, 500) is WaitEnd.BY_TIME
    assert ends("select", 4, 1, 0, 0, 0x7FFF0000) is WaitEnd.BY_TIME
    assert ends("futex", 4, 0, 2, 0x7FFF0000) is WaitEnd.BY_TIME
    assert ends("ppoll", 1, 1, 0x7FFF0000, machine="aarch64") is WaitEnd.BY_TIME


def test_of_a_socket_its_own_time_counts() -> None:
    assert ends("recvfrom", 3) is ends("accept4", 3) is WaitEnd.BY_ITS_SOCKET


def test_of_what_is_not_known_nothing_is_said() -> None:
    assert what_ends("x86_64", 35, (0,) * 6) is WaitEnd.BY_TIME  # nanosleep(2)
    assert what_ends("riscv64", 63, (0,) * 6) is WaitEnd.BY_TIME
