"""Events of epoll in text, by the machine's layout."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from lab.analysis.calls.epoll import EPOLL_DATA_AT, event_text, events_text, machine_of
from lab.records import Memory

PACKED, PADDED = EPOLL_DATA_AT["x86_64"], EPOLL_DATA_AT["aarch64"]
GARBAGE = 0x7F93


def memory(data: bytes, count: int) -> Memory:
    """What is read where the call returned `count`: the larger struct's bytes for each."""
    read = data.ljust(16 * count, b"\x55")[: min(16 * count, 128)]
    return Memory(1, "", True, read, 16 * count)


def packed(*numbers: int) -> bytes:
    return b"".join(struct.pack("<IQ", 1, number) for number in numbers)


def padded(*numbers: int) -> bytes:
    return b"".join(struct.pack("<IIQ", 1, 77, number) for number in numbers)


@pytest.mark.parametrize(
    ("kernel", "machine"),
    [("Linux 6.18 x86_64", "x86_64"), ("Linux 6.1.0-9-arm64 aarch64", "aarch64"),
     ("Linux 6.18", ""), ("", "")],
)  # fmt: skip
def test_the_machine_is_the_last_word_of_three(kernel: str, machine: str) -> None:
    assert machine_of(kernel) == machine


@pytest.mark.parametrize(("at", "pack"), [(PACKED, packed), (PADDED, padded)])
def test_the_data_is_where_the_machine_has_it(at: int, pack: Callable[..., bytes]) -> None:
    assert event_text(pack(3), at) == "{EPOLLIN, data=3}"
    assert events_text(memory(pack(3, 4), 2), at) == "[{EPOLLIN, data=3}, {EPOLLIN, data=4}]"


def test_a_descriptor_beside_what_was_there_before_is_still_shown() -> None:
    text = event_text(struct.pack("<III", 1, 3, GARBAGE), PACKED)
    assert text == "{EPOLLIN, data.fd=3}"


def test_a_pointer_is_no_descriptor() -> None:
    assert event_text(packed(0x7FFD00A01000), PACKED) == "{EPOLLIN, data=0x7ffd00a01000}"


def test_of_an_unknown_machine_the_first_events_alone_are_shown() -> None:
    assert event_text(packed(3), None) == "{EPOLLIN}"
    assert events_text(memory(packed(3), 1), None) == "[{EPOLLIN}]"
    assert events_text(memory(packed(3, 4), 2), None) == "[{EPOLLIN}, ...]"


@pytest.mark.parametrize(("at", "pack", "fit"), [(PACKED, packed, 10), (PADDED, padded, 8)])
def test_events_that_were_not_read_are_said_to_be_more(
    at: int, pack: Callable[..., bytes], fit: int
) -> None:
    text = events_text(memory(pack(*range(20)), 20), at)
    assert (text.count("data="), text.endswith(", ...]")) == (fit, True)


def test_no_events_are_none() -> None:
    assert events_text(memory(b"", 0), PACKED) == "[]"


@pytest.mark.parametrize("length", range(16))
def test_events_cut_short_give_some_text(length: int) -> None:
    for at in (PACKED, PADDED, None):
        assert event_text(padded(3)[:length], at).startswith("{")
        assert events_text(Memory(1, "", True, padded(3)[:length], 16), at).startswith("[")
