"""What has been so far, at each of many places at once: running maxima and last values, by group.

The elements of a group stand together, and groups follow each other by their numbers, from 0.
"""

from __future__ import annotations

import numpy as np

from lab.records.bulk.batch import Flags, Ints

LIMIT = 1 << 40
"""What runs is less than this, on either side of zero."""

NONE = -LIMIT
"""What a running maximum is where there was nothing yet."""

_APART = 1 << 42
"""Added for each group, so that what was in one group is less than all in the next."""


class Groups:
    """Places that are grouped."""

    def __init__(self, group: Ints, starts: Ints) -> None:
        self.group = group
        """Which group each place is of."""
        self.start = starts[group]
        """Where that begins."""
        self._offset = group * _APART
        self._places = np.arange(len(group), dtype=np.int64)

    def highest(self, values: Ints, mask: Flags) -> Ints:
        """The largest value so far, this one's among them, of those in the mask; NONE before."""
        running = np.where(mask, values, NONE) + self._offset
        return np.maximum.accumulate(running) - self._offset

    def highest_before(self, values: Ints, mask: Flags) -> Ints:
        """The same without this one's own."""
        found = self.highest(values, mask)
        return self._shifted(found, NONE)

    def last(self, mask: Flags) -> Ints:
        """The last place in the mask, this one among them; -1 where there is none in the group."""
        found = np.maximum.accumulate(np.where(mask, self._places, -1))
        return np.where(found >= self.start, found, -1)

    def last_before(self, mask: Flags) -> Ints:
        """The same without this one's own."""
        return self._shifted(self.last(mask), -1)

    def count(self, mask: Flags) -> Ints:
        """How many in the mask there are so far in the whole, this one among them."""
        return np.cumsum(mask, dtype=np.int64)

    def _shifted(self, found: Ints, none: int) -> Ints:
        shifted = np.empty_like(found)
        shifted[1:] = found[:-1]
        shifted[self._places == self.start] = none
        return shifted


def first_places(keys: Ints, mask: Flags, count: int) -> Ints:
    """Of each key from 0 on the first place in the mask that has it; -1 where none has."""
    found = np.full(count, -1, dtype=np.int64)
    (places,) = np.nonzero(mask)
    places = places[::-1]  # of several assignments the last one stays: the first in order
    found[keys[places]] = places
    return found


def totals(keys: Ints, values: Ints | Flags, count: int) -> Ints:
    """The sums of the values by key."""
    return np.bincount(keys, weights=values, minlength=count).astype(np.int64)


def largest(keys: Ints, values: Ints, mask: Flags, count: int, least: int) -> Ints:
    """The largest value by key of those in the mask; `least` where there is no larger one."""
    found = np.full(count, least, dtype=np.int64)
    np.maximum.at(found, keys[mask], values[mask])
    return found
