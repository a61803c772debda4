"""A choice that takes from each pile in turn, so that each is heard as often as the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_turn(
    piles: Collection[list[T]],
    most: int,
    fits: Callable[[Sequence[T], T], bool] = lambda found, each: True,
) -> list[T]:
    """The last of each pile, then the one before it of each, until there are `most`.

    What does not fit what was found before is left out. The piles are used up.
    """
    found: list[T] = []
    while len(found) < most and any(piles):
        for pile in piles:
            if pile and len(found) < most:
                each = pile.pop()
                if fits(found, each):
                    found.append(each)
    return found
