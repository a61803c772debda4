"""Crossings by their numbers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing

_MANY = 10_000
_number = attrgetter("number")


def by_number(crossings: Sequence[Crossing]) -> Mapping[int, Crossing]:
    """Each by its number; of many that are in order no table is made, which takes 50 bytes each."""
    if len(crossings) > _MANY and all(a.number < b.number for a, b in pairwise(crossings)):
        return CrossingsInOrder(crossings)
    return {crossing.number: crossing for crossing in crossings}


class CrossingsInOrder(Mapping[int, "Crossing"]):
    """Crossings whose numbers grow, looked for among them."""

    __slots__ = ("_crossings", "_first")

    def __init__(self, crossings: Sequence[Crossing]) -> None:
        self._crossings = crossings
        self._first = crossings[0].number if crossings else 0

    def __getitem__(self, number: int) -> Crossing:
        at = number - self._first  # most often none is missing
        if 0 <= at < len(self._crossings) and self._crossings[at].number == number:
            return self._crossings[at]
        at = bisect_left(self._crossings, number, key=_number)
        if at == len(self._crossings) or self._crossings[at].number != number:
            raise KeyError(number)
        return self._crossings[at]

    def __iter__(self) -> Iterator[int]:
        return map(_number, self._crossings)

    def __len__(self) -> int:
        return len(self._crossings)
