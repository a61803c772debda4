"""What is said about unknown words."""

from __future__ import annotations

import pytest

from lab.errors import did_you_mean

NAMES = ("buffers", "tcp", "udp", "unix", "unix-types")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("tpc", "tcp"), ("TCP", "tcp"), ("upd", "udp"), ("unx", "unix"), ("unixtypes", "unix-types")],
)
def test_the_nearest_name_is_suggested(word: str, meant: str) -> None:
    assert did_you_mean(word, NAMES) == f"; did you mean {meant!r}?"


@pytest.mark.parametrize("word", ["", "http", "x"])
def test_what_is_near_to_none_gets_no_suggestion(word: str) -> None:
    assert did_you_mean(word, NAMES) == ""
