"""Names of numbers, beside those that Python knows of this machine."""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import select
import socket
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.calls import constants
from lab.analysis.calls.constants import ERRORS, error_name, flag_names

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"),
    reason="Python's numbers are this machine's: not Linux on x86_64 or aarch64",
)

TABLES = [
    (constants.DOMAINS, socket),
    (constants.TYPES, socket),
    (constants.TYPE_FLAGS, socket),
    (constants.IP_PROTOCOLS, socket),
    (constants.MESSAGE_FLAGS, socket),
    (constants.SHUTDOWN_WAYS, socket),
    (constants.LEVELS, socket),
    *((names, socket) for names in constants.OPTIONS.values()),
    (constants.FCNTL_OPERATIONS, fcntl),
    (constants.OPEN_FLAGS, os),
    (constants.POLL_EVENTS, select),
    (constants.EPOLL_EVENTS, select),
]


@pytest.mark.parametrize(
    ("names", "module"), TABLES, ids=[next(iter(n.values())) for n, _ in TABLES]
)
def test_python_knows_no_other_number_of_a_name(names: dict[int, str], module: object) -> None:
    known = {name: getattr(module, name) for name in names.values() if hasattr(module, name)}
    assert known == {name: number for number, name in names.items() if name in known}


def test_most_names_are_compared() -> None:
    named = [name for names, module in TABLES for name in names.values() if hasattr(module, name)]
    assert len(named) > 150
    assert {"SO_REUSEADDR", "TCP_NODELAY", "MSG_PEEK", "EPOLLIN", "F_SETFL"} <= set(named)


def test_every_errno_has_its_name() -> None:
    named = {number: ERRORS.get(number, "") for number in errno.errorcode}
    assert {n: name for n, name in named.items() if getattr(errno, name, None) != n} == {}


def test_every_error_of_the_man_pages_is_named() -> None:
    assert error_name(95) == "EOPNOTSUPP"
    assert error_name(11) == "EAGAIN"
    assert error_name(512) == "ERESTARTSYS"
    assert error_name(4000) == "4000"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0x40, "MSG_DONTWAIT"),
        (0x4002, "MSG_PEEK|MSG_NOSIGNAL"),
        (0x80000000, "0x80000000"),
        (0x80000001, "MSG_OOB|0x80000000"),
    ],
)
def test_flags_are_written_as_in_c(value: int, text: str) -> None:
    assert flag_names(constants.MESSAGE_FLAGS, value) == text


@given(st.integers(0, 2**32 - 1))
def test_flags_lose_no_bit(value: int) -> None:
    numbers = {name: number for number, name in constants.MESSAGE_FLAGS.items()}
    words = flag_names(constants.MESSAGE_FLAGS, value).split("|")
    assert sum(numbers[word] if word in numbers else int(word, 16) for word in words) == value
