"""Crossings are found by their numbers, with a table or without."""

from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.by_number import CrossingsInOrder, by_number


def test_many_are_found_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    (timeline,) = build_timelines(r.recorded(4))
    crossings = tuple(replace(each, number=3 * each.number) for each in timeline.crossings)
    few = by_number(crossings)
    monkeypatch.setattr("lab.analysis.flows.by_number._MANY", 1)
    many = by_number(crossings)
    assert isinstance(few, dict)
    assert isinstance(many, CrossingsInOrder)
    assert dict(many) == few
    assert len(many) == len(few)
    for missing in (0, 1, 4, 3 * len(crossings) + 3):
        assert many.get(missing) is None
        with pytest.raises(KeyError):
            many[missing]


def test_what_is_in_no_order_has_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    (timeline,) = build_timelines(r.recorded(4))
    monkeypatch.setattr("lab.analysis.flows.by_number._MANY", 1)
    backwards = timeline.crossings[::-1]
    assert by_number(backwards) == {each.number: each for each in backwards}
    assert isinstance(by_number(backwards), dict)
