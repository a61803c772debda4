"""The median of a sample, and between which of its values that of all runs lies."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, floor, sqrt

from lab.frozen import frozen

CONFIDENCE = 0.95
_NORMAL = 1.959964
"""The quantile of the normal distribution for that confidence."""
_LARGE = 1000


@frozen
class MedianInterval:
    """A median with an interval by order statistics."""

    count: int
    """Of the values."""
    median: float
    low: float | None
    """One of the values; None of both where there are too few for that confidence, less than 6."""
    high: float | None


def median_of(values: Sequence[float]) -> MedianInterval:
    """The median of these values, at least one, and its interval with CONFIDENCE.

    The interval goes from the jth smallest value to the jth largest, for the greatest j with which
    the median of what the values were drawn from is outside in at most 5 % of all samples: it is
    above each of them with probability 1/2, so that how many are below is binomial. It assumes
    that the values are drawn independently, and of their distribution nothing; a bootstrap would
    draw lots to come near it. Source: Le Boudec, Performance Evaluation of Computer and
    Communication Systems, theorem 2.1; David and Nagaraja, Order Statistics, 7.1.
    """
    ordered = sorted(values)
    count = len(ordered)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    rank = interval_rank(count)
    if rank == 0:
        return MedianInterval(count, middle, None, None)
    return MedianInterval(count, middle, ordered[rank - 1], ordered[count - rank])


def interval_rank(count: int) -> int:
    """Which smallest value and which largest one are the interval's ends, from 1; 0: there is none.

    For more than 1,000 by the normal distribution, which then differs by less than a value.
    """
    if count > _LARGE:
        return max(floor(count / 2 - _NORMAL * sqrt(count) / 2), 1)
    outside = 0
    most = (1 - CONFIDENCE) / 2 * 2**count
    for rank in range(count // 2 + 1):
        outside += comb(count, rank)
        if outside > most:
            return rank
    return 0
