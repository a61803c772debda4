"""The numbers are those of the kernel's own headers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab.syscalls.numbers import NUMBERS, OTHER_NUMBERS
from lab.syscalls.refused import NEWEST, REFUSED, REFUSED_NUMBERS

HEADERS = {
    "x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
    "aarch64": "/usr/include/asm-generic/unistd.h",
}
OF_X86 = {"iopl", "ioperm", "modify_ldt"}


@pytest.mark.parametrize("machine", HEADERS)
def test_the_kernel_s_headers_have_the_same_numbers(machine: str) -> None:
    path = Path(HEADERS[machine])
    if not path.exists():
        pytest.skip(f"{path} is not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", path.read_text())
    headers = {name: int(number) for name, number in found}
    ours = REFUSED_NUMBERS[machine]
    assert ours == {name: headers[name] for name in ours}


def test_each_machine_has_all_of_them_that_it_knows() -> None:
    every = {name for names in REFUSED.values() for name in names}
    assert sum(map(len, REFUSED.values())) == len(every)
    assert set(REFUSED_NUMBERS["x86_64"]) == every
    assert set(REFUSED_NUMBERS["aarch64"]) == every - OF_X86


@pytest.mark.parametrize("machine", REFUSED_NUMBERS)
def test_nothing_is_refused_that_programs_need(machine: str) -> None:
    needed = NUMBERS[machine] | OTHER_NUMBERS[machine]
    refused = REFUSED_NUMBERS[machine]
    both = {name for name in needed if name in refused}
    of_rings = {"io_uring_setup", "io_uring_enter", "io_uring_register"}
    assert both == {*of_rings, "pidfd_getfd", "ptrace"}
    assert max({**needed, **refused}.values()) <= NEWEST
    assert len(set(refused.values())) == len(refused)
