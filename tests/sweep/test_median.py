from __future__ import annotations

import random
from math import comb

import pytest

from lab.sweep import median as median_module
from lab.sweep.median import interval_rank, median_of


@pytest.mark.parametrize(
    # As in tables of the sign test: of 5 values all are on one side in 2 of 32 samples, 6.25 %.
    ("count", "rank"),
    [(1, 0), (5, 0), (6, 1), (8, 1), (9, 2), (10, 2), (20, 6), (30, 10), (50, 18), (70, 27)],
)
def test_the_ranks_are_those_of_the_sign_test(count: int, rank: int) -> None:
    assert interval_rank(count) == rank


@pytest.mark.parametrize("count", [*range(1, 60), 100, 333, 1000])
def test_the_rank_is_the_greatest_with_which_at_most_one_in_twenty_is_outside(count: int) -> None:
    def outside(rank: int) -> float:
        return float(2 * sum(comb(count, below) for below in range(rank)) / 2**count)

    rank = interval_rank(count)
    assert outside(rank) <= 0.05 < outside(rank + 1)


def test_with_many_values_the_normal_distribution_says_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = [interval_rank(count) for count in range(500, 1000, 7)]
    monkeypatch.setattr(median_module, "_LARGE", 0)
    near = [interval_rank(count) for count in range(500, 1000, 7)]
    assert max(abs(one - other) for one, other in zip(exact, near, strict=True)) <= 1
    assert interval_rank(100_000) == 49_690


def test_the_median_is_the_middle_or_between_both() -> None:
    assert median_of([3, 1, 2]).median == 2
    assert median_of([4, 1, 2, 3]).median == 2.5
    assert (median_of([7.0]).low, median_of([7.0]).high) == (None, None)
    whole = median_of([5, 1, 4, 2, 6, 3])
    assert (whole.count, whole.low, whole.median, whole.high) == (6, 1, 3.5, 6)


def test_of_many_samples_one_in_twenty_has_the_median_outside_or_fewer() -> None:
    lots = random.Random(7)
    samples = [median_of([lots.expovariate(1) for _ in range(30)]) for _ in range(2000)]
    real = 0.6931
    inside = sum(
        each.low <= real <= each.high
        for each in samples
        if each.low is not None and each.high is not None
    )
    assert 0.94 < inside / len(samples) < 0.98  # of 30 values it is 95.7 %
