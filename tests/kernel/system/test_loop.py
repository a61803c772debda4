"""The poll loop: all sources are waited for at once and served in order."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack

import pytest

from lab.kernel.system.loop import Loop

LONG_MS = 10_000
LONG_S = LONG_MS / 1000


class Pipe:
    """A source with one pipe, which notes when it is served."""

    def __init__(self, name: str, served: list[str]) -> None:
        self.readable, self.writable = os.pipe()
        self.name, self.served = name, served
        self.taken = b""

    def descriptors(self) -> tuple[int, ...]:
        return (self.readable,)

    def take(self, readable: Collection[int]) -> None:
        self.served.append(self.name)
        if self.readable in readable:
            self.taken += os.read(self.readable, 100)

    def close(self) -> None:
        os.close(self.readable)
        os.close(self.writable)


@pytest.fixture
def pipes() -> Iterator[tuple[Pipe, Pipe]]:
    with ExitStack() as stack:
        served: list[str] = []
        first, second = Pipe("first", served), Pipe("second", served)
        stack.callback(first.close)
        stack.callback(second.close)
        yield first, second


def looping(*sources: Pipe) -> Loop:
    loop = Loop()
    for source in sources:
        loop.add(source)
    return loop


def test_any_source_ends_the_wait_and_all_are_served_in_order(pipes: tuple[Pipe, Pipe]) -> None:
    first, second = pipes
    os.write(second.writable, b"there")
    began = time.monotonic()
    looping(first, second).serve_once(LONG_MS)
    assert time.monotonic() - began < LONG_S
    assert (first.taken, second.taken) == (b"", b"there")
    assert first.served == ["first", "second"]


def test_a_wait_without_anything_to_read_serves_all_the_same(pipes: tuple[Pipe, Pipe]) -> None:
    looping(*pipes).serve_once(1)
    assert pipes[0].served == ["first", "second"]


def test_another_descriptor_ends_one_wait(pipes: tuple[Pipe, Pipe]) -> None:
    served, other = pipes
    os.write(other.writable, b"there")
    began = time.monotonic()
    looping(served).serve_once(LONG_MS, [other.readable])
    assert time.monotonic() - began < LONG_S
    assert served.served == ["first"]


def test_a_removed_source_is_neither_polled_nor_served(pipes: tuple[Pipe, Pipe]) -> None:
    first, second = pipes
    loop = looping(first, second)
    loop.remove(first)
    os.write(first.writable, b"there")
    loop.serve_once(1)
    assert (first.taken, second.served) == (b"", ["second"])


def test_serving_ends_as_soon_as_it_is_done(pipes: tuple[Pipe, Pipe]) -> None:
    first, second = pipes
    os.write(first.writable, b"there")
    began = time.monotonic()
    looping(first, second).serve_until(lambda: bool(first.taken), LONG_S)
    assert first.taken == b"there"
    assert time.monotonic() - began < LONG_S


def test_what_is_done_already_serves_nobody(pipes: tuple[Pipe, Pipe]) -> None:
    looping(*pipes).serve_until(lambda: True, LONG_S)
    assert pipes[0].served == []


def test_serving_ends_at_the_deadline(pipes: tuple[Pipe, Pipe]) -> None:
    began = time.monotonic()
    looping(*pipes).serve_until(lambda: False, 0.02)
    assert 0.02 <= time.monotonic() - began < LONG_S
    assert pipes[0].served


def test_what_takes_long_is_asked_for_seldom(pipes: tuple[Pipe, Pipe]) -> None:
    asked = itertools.count()
    looping(*pipes).serve_until(lambda: next(asked) < 0, 0.5)
    assert next(asked) < 100
