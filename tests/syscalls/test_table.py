"""The table agrees with itself: what a pointer says of other arguments is there."""

from __future__ import annotations

import pytest

from lab.syscalls.numbers import NUMBERS
from lab.syscalls.table import CALLS, Layout, Size


@pytest.mark.parametrize("name", CALLS)
def test_a_calls_pointers_and_descriptor_are_among_its_arguments(name: str) -> None:
    shape = CALLS[name]
    assert len(set(shape.arguments)) == len(shape.arguments) <= 6
    assert shape.descriptor is None or shape.descriptor < len(shape.arguments)
    for pointer in shape.pointers:
        assert pointer.argument < len(shape.arguments)
        if pointer.size in (Size.ARGUMENT, Size.VALUE_RESULT):
            assert pointer.number < len(shape.arguments) and pointer.number != pointer.argument
        elif pointer.size is Size.ITEMS or pointer.layout is Layout.IOVEC:
            assert pointer.argument + 1 < len(shape.arguments)


@pytest.mark.parametrize("name", CALLS)
def test_lengths_that_only_the_exit_knows_are_read_at_the_exit(name: str) -> None:
    for pointer in CALLS[name].pointers:
        if pointer.size in (Size.RESULT, Size.VALUE_RESULT):
            assert pointer.at_exit


@pytest.mark.parametrize("name", CALLS)
def test_a_call_has_a_number_on_some_machine(name: str) -> None:
    assert any(name in numbers for numbers in NUMBERS.values())
