from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traced import call, pollfd, rights, two_numbers

from lab.records import Memory
from lab.syscalls import memory


@pytest.mark.parametrize(
    ("argument", "descriptor"),
    [(0, 0), (3, 3), (2**64 - 1, -1), (2**32 - 100, -100), (2**32 + 3, 3), (2**31, -(2**31))],
)
def test_a_descriptor_is_a_signed_int_of_32_bits(argument: int, descriptor: int) -> None:
    assert memory.descriptor_of(argument) == descriptor


@given(st.lists(st.integers(-(2**31), 2**31 - 1)), st.binary(max_size=3))
def test_numbers_are_whole_ints(numbers: list[int], rest: bytes) -> None:
    data = struct.pack(f"<{len(numbers)}i", *numbers) + rest
    assert memory.numbers_in(data) == tuple(numbers)


def test_what_an_argument_points_to_is_found_by_argument_and_part() -> None:
    name, data = (Memory(1, part, False, part.encode(), 4) for part in ("name", "data"))
    sent = call("client", "sendmsg", 3, 0x1000, 0, memory=(name, data))
    assert memory.pointer_argument(sent, 1, "data") is data
    assert memory.pointer_argument(sent, 1) is None
    assert memory.pointer_argument(sent, 2, "data") is None


@pytest.mark.parametrize(("name", "argument"), [("pipe", 0), ("socketpair", 3)])
def test_a_pair_is_what_the_kernel_wrote(name: str, argument: int) -> None:
    before = [1] * argument
    assert memory.two_descriptors(call("p", name, *before, two_numbers(5, 6)), argument) == (5, 6)
    assert memory.two_descriptors(call("p", name, *before, 0x1000), argument) == ()
    assert memory.two_descriptors(call("p", name, *before, two_numbers(5, 6)[:7]), argument) == ()


def control(level: int, kind: int, data: bytes) -> bytes:
    message = struct.pack("<Qii", 16 + len(data), level, kind) + data
    return message + bytes(-len(message) % 8)


def test_control_messages_follow_one_another_at_multiples_of_eight() -> None:
    both = control(1, 2, b"\1" * 12) + control(0, 8, b"\2" * 4)
    assert list(memory.control_messages(both)) == [(1, 2, b"\1" * 12), (0, 8, b"\2" * 4)]


@given(st.binary(max_size=80))
def test_any_bytes_are_control_messages_as_far_as_they_go(data: bytes) -> None:
    assert sum(16 + len(part) for *_, part in memory.control_messages(data)) <= len(data) + 7
    assert list(memory.control_messages(struct.pack("<Qii", 15, 1, 1) + data)) == []


def test_passed_descriptors_are_those_of_rights_alone() -> None:
    both = control(1, 2, struct.pack("<3i", 1, 2, 3)) + rights(7, 8)
    assert memory.passed_descriptors(both) == (7, 8)
    assert memory.passed_descriptors(both[:20]) == ()


def test_polled_descriptors_are_those_of_whole_items() -> None:
    items = pollfd(3, 1) + pollfd(4, 1)
    assert list(memory.polled_descriptors(items)) == [3, 4]
    assert list(memory.polled_descriptors(items[:-1])) == [3]
    assert list(memory.polled_descriptors(b"")) == []
