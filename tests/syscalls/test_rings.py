"""The operations of rings beside the calls that do the same."""

from __future__ import annotations

import struct

import pytest

from lab.syscalls.rings import (
    OPERATIONS,
    REQUEST_BYTES,
    UNFOLLOWED,
    Operation,
    Request,
    parse_request,
    unfollowed,
)
from lab.syscalls.table import CALLS


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda each: each.name)
def test_each_has_the_arguments_of_its_call(operation: Operation) -> None:
    assert len(operation.arguments) == len(CALLS[operation.call].arguments)
    fields = {*Request._fields, "addr_len", ""}
    assert set(operation.arguments) <= fields
    assert "user_data" not in operation.arguments


def test_none_is_both_followed_and_not() -> None:
    assert not OPERATIONS.keys() & UNFOLLOWED.keys()
    assert len({each.name for each in OPERATIONS.values()} | set(UNFOLLOWED.values())) == len(
        OPERATIONS
    ) + len(UNFOLLOWED)


def test_an_operation_that_came_later_may_use_sockets_as_well() -> None:
    assert unfollowed(30) == "splice"
    assert unfollowed(26) == unfollowed(0) == ""  # send, which is followed; nop
    assert unfollowed(250) == "operation 250"


def test_a_request_is_read_by_its_fields() -> None:
    data = struct.pack("<BBHiQQII", 26, 1 << 5, 2, -1, 1 << 40, 7 << 40, 100, 0x40)
    data += struct.pack("<QHHIQQ", (1 << 64) - 1, 9, 8, 0xFFFF0010, 3, 0)
    assert len(data) == REQUEST_BYTES
    request = parse_request(data)
    assert request == Request(
        26, 32, 2, -1, 1 << 40, 7 << 40, 100, 0x40, (1 << 64) - 1, 9, 8, 0xFFFF0010, 3
    )
    assert request.addr_len == 16
