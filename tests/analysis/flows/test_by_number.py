"""Crossings are found by their numbers, with a table or without."""

from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.by_number import CrossingsInOrder, by_number


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("first", [0, 5])
def test_many_are_found_as_few_are(step: int, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    (timeline,) = build_timelines(r.recorded(4))
    crossings = tuple(
        replace(each, number=first + step * each.number) for each in timeline.crossings
    )
    few = by_number(crossings)
    monkeypatch.setattr("lab.analysis.flows.by_number._MANY", 1)
    many = by_number(crossings)
    assert isinstance(few, dict)
    assert isinstance(many, CrossingsInOrder)
    assert dict(many) == few
    assert len(many) == len(few)
    behind = first + step * len(crossings) + 1
    for missing in {-1, 0, 1, 4, behind, behind + 3} - set(few):
        assert many.get(missing) is None
        with pytest.raises(KeyError):
            many[missing]


def test_what_is_in_no_order_has_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    (timeline,) = build_timelines(r.recorded(4))
    monkeypatch.setattr("lab.analysis.flows.by_number._MANY", 1)
    backwards = timeline.crossings[::-1]
    assert by_number(backwards) == {each.number: each for each in backwards}
    assert isinstance(by_number(backwards), dict)
