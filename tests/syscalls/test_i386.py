"""The numbers are those of the kernel's own headers, and what shares them is known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab.syscalls.i386 import I386_NAMES, I386_NUMBERS, SAME_NUMBER
from lab.syscalls.table import CALLS, HIDING

INCLUDE = Path("/usr/include/x86_64-linux-gnu/asm")
NEW = {"stat": "newstat", "lstat": "newlstat", "uname": "newuname"}
"""Calls whose tracepoint has another name than their number."""


def defined(header: str) -> dict[str, int]:
    path = INCLUDE / header
    if not path.exists():
        pytest.skip(f"{path} is not installed")
    found = re.findall(r"#define __NR_(\w+) (\d+)", path.read_text())
    return {name: int(number) for name, number in found}


def test_the_kernel_s_headers_have_the_same_numbers() -> None:
    headers = defined("unistd_32.h")
    ours = {I386_NAMES[name]: number for name, number in I386_NUMBERS.items()}
    assert ours == {name: headers.get(name) for name in ours}


def test_every_call_of_x86_64_with_one_of_these_numbers_is_named() -> None:
    wanted = set(I386_NUMBERS.values())
    same = {n: NEW.get(name, name) for name, n in defined("unistd_64.h").items() if n in wanted}
    assert same == SAME_NUMBER


def test_what_these_calls_do_is_hidden_and_none_of_them_is_decoded() -> None:
    assert set(I386_NUMBERS) <= HIDING
    assert not set(I386_NUMBERS) & set(CALLS)
