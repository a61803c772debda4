"""What is allowed to programs besides what is usual."""

from __future__ import annotations

from lab.model.allowed import Allowed


def test_nothing_is_allowed_unless_it_is_asked_for() -> None:
    assert Allowed() == Allowed("", (), (), (), False)
