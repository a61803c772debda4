"""What is allowed to programs besides what is usual, and what holds those that nobody trusts."""

from __future__ import annotations

from dataclasses import fields

import pytest

from lab.errors import UsageError
from lab.model.allowed import Allowed, Cell, Limits
from lab.records import Limit


def test_nothing_is_allowed_unless_it_is_asked_for() -> None:
    assert Allowed() == Allowed("", (), (), (), False)


def test_each_limit_has_a_name_in_records_and_each_name_a_limit() -> None:
    assert {limit.value for limit in Limit} == {each.name for each in fields(Limits)}


@pytest.mark.parametrize("name", [each.name for each in fields(Limits)])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_limit_is_above_nothing(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"Limits: {name} is {value}, and must be more than 0"):
        Limits(**{name: value})  # type: ignore[arg-type]


def test_paths_are_absolute() -> None:
    with pytest.raises(UsageError, match="'ann' is no absolute path"):
        Cell("ann")
    with pytest.raises(UsageError, match="'opt/go' is no absolute path"):
        Cell("/tmp/ann", shows=("opt/go",))
