"""A feed of calls: what there is room for arrives, and the rest is counted."""

from __future__ import annotations

from typing import Any

import pytest

from lab.kernel.trace.ptrace.live import LiveFeed, live_pair, read_live

pytestmark = pytest.mark.kernel
FACTS: tuple[Any, ...] = (1, 2, "close", (3,), [], 4, 5, 0, "")


class Call:
    def __init__(self, size: int = 0) -> None:
        self._facts = (*FACTS[:2], "x" * size or "close", *FACTS[3:])

    def record(self) -> tuple[object, ...]:
        return self._facts


def test_what_is_told_arrives_and_nobody_waits() -> None:
    ours, theirs = live_pair()
    with ours, theirs:
        assert list(read_live(ours)) == []
        feed, call = LiveFeed(theirs), Call()
        told: Any = call
        feed.tell(told)
        feed.tell(told)
        assert list(read_live(ours)) == [(0, FACTS), (0, FACTS)]
    assert list(read_live_closed()) == []


def read_live_closed() -> list[object]:
    ours, theirs = live_pair()
    theirs.close()
    with ours:
        return list(read_live(ours))


def test_what_there_is_no_room_for_is_counted() -> None:
    ours, theirs = live_pair()
    with ours, theirs:
        feed = LiveFeed(theirs)
        big: Any = Call(100_000)
        for _ in range(100):
            feed.tell(big)
        came = len(list(read_live(ours)))
        assert 0 < came < 100
        small: Any = Call()
        feed.tell(small)
        assert list(read_live(ours)) == [(100 - came, FACTS)]
