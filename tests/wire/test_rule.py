"""Which of the frames that match, and which way of the link."""

from __future__ import annotations

import pytest

from lab.wire.rule import Delay, LinkWay, Sense, Which


@pytest.mark.parametrize(
    ("which", "numbers"),
    [
        (Which(), [1, 2, 3, 4, 5, 6]),
        (Which(2, 2), [2]),
        (Which(3), [3, 4, 5, 6]),
        (Which(2, 4), [2, 3, 4]),
        (Which(every=2), [2, 4, 6]),
    ],
)
def test_which_has_these_numbers(which: Which, numbers: list[int]) -> None:
    assert [number for number in range(1, 7) if which.has(number)] == numbers


def test_a_way_has_a_sense() -> None:
    assert LinkWay("client>server").sense is Sense.FORWARD
    assert LinkWay("client-server").sense is Sense.BOTH


def test_a_delay_is_named_as_it_was_written() -> None:
    assert (Delay(1).name, Delay(1, 2).name, Delay(0, 2).name) == ("delay", "delay", "jitter")
