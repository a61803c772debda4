from __future__ import annotations

import numpy as np

from lab.analysis.table.running import NONE, Groups, first_places, largest, totals

GROUP = np.array([0, 0, 0, 1, 1, 2])
STARTS = np.array([0, 3, 5, 6])
VALUES = np.array([5, 3, 9, 1, -7, 2])
SOME = np.array([True, True, False, False, True, True])


def groups() -> Groups:
    return Groups(GROUP, STARTS)


def test_a_running_maximum_begins_anew_with_each_group() -> None:
    assert groups().highest(VALUES, SOME).tolist() == [5, 5, 5, NONE, -7, 2]
    assert groups().highest_before(VALUES, SOME).tolist() == [NONE, 5, 5, NONE, NONE, NONE]


def test_the_last_place_is_one_of_the_group() -> None:
    assert groups().last(SOME).tolist() == [0, 1, 1, -1, 4, 5]
    assert groups().last_before(SOME).tolist() == [-1, 0, 1, -1, -1, -1]
    assert groups().count(SOME).tolist() == [1, 2, 2, 2, 3, 4]


def test_firsts_sums_and_maxima_are_by_key() -> None:
    keys = np.array([1, 0, 1, 3, 1, 0])
    assert first_places(keys, SOME, 5).tolist() == [1, 0, -1, -1, -1]
    assert totals(keys, VALUES, 5).tolist() == [5, 7, 0, 1, 0]
    assert largest(keys, VALUES, SOME, 5, 1).tolist() == [3, 5, 1, 1, 1]
