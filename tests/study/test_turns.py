"""A choice from each pile in turn."""

from __future__ import annotations

from lab.study.turns import in_turn


def test_each_pile_is_taken_from_as_often_as_the_others_until_it_is_empty() -> None:
    assert in_turn([[1, 2, 3], [10], [20, 21]], 5) == [3, 10, 21, 2, 20]
    assert in_turn([[1, 2], [], [20]], 9) == [2, 20, 1]
    assert in_turn([[1, 2]], 0) == []


def test_what_does_not_fit_takes_no_place() -> None:
    def differs(found: object, each: int) -> bool:
        return isinstance(found, list) and each % 10 not in {other % 10 for other in found}

    assert in_turn([[1, 2], [11, 12, 13]], 3, differs) == [2, 13, 1]
