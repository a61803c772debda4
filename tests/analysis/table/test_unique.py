from __future__ import annotations

import random

import numpy as np

from lab.analysis.table import unique
from lab.analysis.table.unique import first_of_each


def test_pairs_are_numbered_in_the_order_in_which_they_first_came() -> None:
    rng = random.Random(3)
    pairs = [(rng.randrange(5), rng.randrange(2**63, 2**63 + 5)) for _ in range(300)]
    first, second = (np.array(column, dtype=np.uint64) for column in zip(*pairs, strict=True))
    firsts, which = first_of_each(first, second)
    expected = list(dict.fromkeys(pairs))
    assert [pairs[at] for at in firsts] == expected
    assert [expected[n] for n in which] == pairs


def test_pairs_that_are_mixed_into_one_number_are_told_apart(monkeypatch: object) -> None:
    monkeypatch.setattr(unique, "_MULTIPLIERS", (0,))  # type: ignore[attr-defined]
    first = np.array([1, 2, 1], dtype=np.uint64)
    firsts, which = first_of_each(first, np.array([5, 5, 5], dtype=np.uint64))
    assert (firsts.tolist(), which.tolist()) == ([0, 1], [0, 1, 0])


def test_there_may_be_none() -> None:
    none = np.zeros(0, dtype=np.uint64)
    firsts, which = first_of_each(none, none)
    assert (len(firsts), len(which)) == (0, 0)
