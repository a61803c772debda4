"""What is at which place of a ring's registered files."""

from __future__ import annotations

import struct

import pytest
from traced import call

from lab.records import RingUse, Syscall
from lab.syscalls.registered_files import PASSES_TO_RINGS, RegisteredFiles, place_of
from lab.syscalls.rings import (
    CHANGE_FILES,
    REGISTER_FILES,
    REGISTERED_RING,
    UNFOLLOWED,
    UNREGISTER_FILES,
)

FIRST, SECOND = RingUse(1), RingUse(2)


def registration(opcode: int = REGISTER_FILES, *numbers: int) -> Syscall:
    data = struct.pack(f"<{len(numbers)}i", *numbers)
    return call("client", "io_uring_register", 3, opcode, data, len(numbers), ring=FIRST)


def filled() -> RegisteredFiles:
    files = RegisteredFiles()
    files.register(registration(REGISTER_FILES, -1, 8, 9, 8), {8: 80, 9: 90})
    return files


def test_each_place_has_what_its_descriptor_was() -> None:
    files = filled()
    assert [files.at(FIRST, place) for place in range(-1, 5)] == [None, None, 80, 90, 80, None]
    assert files.at(SECOND, 1) is None
    files.register(registration(REGISTER_FILES, 9), {9: 91})
    assert [files.at(FIRST, place) for place in range(2)] == [91, None]


def test_memory_that_was_not_read_registers_nothing() -> None:
    unread = call("client", "io_uring_register", 3, REGISTER_FILES, 0x1000, 2, ring=FIRST)
    files = filled()
    files.register(unread, {8: 80})
    assert files.at(FIRST, 1) is None


@pytest.mark.parametrize("opcode", [UNREGISTER_FILES, *CHANGE_FILES])
@pytest.mark.parametrize("bit", [0, REGISTERED_RING])
def test_after_a_registration_that_is_not_followed_nothing_is_known(opcode: int, bit: int) -> None:
    files = filled()
    files.register(registration(opcode | bit, 0), {})
    assert files.at(FIRST, 1) is None


def test_one_of_something_else_changes_nothing() -> None:
    files = filled()
    files.register(registration(4, 9), {9: 90})  # an eventfd
    assert files.at(FIRST, 1) == 80


def test_a_place_is_emptied_only_of_what_is_there() -> None:
    files = filled()
    files.drop(FIRST, 1, 90)
    files.drop(FIRST, 1, None)
    assert files.at(FIRST, 1) == 80
    files.drop(FIRST, 1, 80)
    assert files.at(FIRST, 1) is None
    assert files.at(FIRST, 3) == 80


def test_what_an_operation_makes_is_at_its_place() -> None:
    files = filled()
    files.put(RingUse(1, "accept", place=1), 70)
    assert files.at(FIRST, 1) == 70


def test_what_says_too_little_may_have_changed_any_place() -> None:
    assert PASSES_TO_RINGS in UNFOLLOWED.values()
    files = filled()
    files.forget(RingUse(2, "splice", is_whole=False))
    assert files.at(FIRST, 1) == 80
    files.forget(RingUse(2, PASSES_TO_RINGS, is_whole=False))
    assert files.at(FIRST, 1) is None
    files = filled()
    files.forget(RingUse(1, "files_update", is_whole=False))
    assert files.at(FIRST, 1) is None


def test_an_operation_names_its_place_as_a_descriptor() -> None:
    assert place_of(call("client", "read", 3, 0x1000, 9)) == 3
