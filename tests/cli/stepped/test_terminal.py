"""Without a terminal that is said."""

from __future__ import annotations

import os

import pytest

from lab.cli.stepped.terminal import need_terminal
from lab.errors import UsageError


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_each_of_the_three_is_needed(missing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda descriptor: descriptor != missing)
    with pytest.raises(UsageError, match="needs a terminal"):
        need_terminal()


def test_with_all_three_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda descriptor: True)
    need_terminal()
