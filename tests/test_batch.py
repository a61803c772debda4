from __future__ import annotations

import threading

import pytest

from lab.batch import Batch


def test_every_thing_is_done_once_and_keeps_its_place() -> None:
    things = [f"thing {number}" for number in range(50)]
    ended = dict(Batch(str.upper, things, jobs=4).ended())
    assert [ended[number] for number in range(50)] == [thing.upper() for thing in things]


def test_as_many_are_done_at_once_as_may_be() -> None:
    together = threading.Barrier(3)

    def do(_: int) -> int:
        return together.wait(timeout=30)

    assert sorted(place for _, place in Batch(do, range(3), jobs=3).ended()) == [0, 1, 2]


def test_no_more_are_done_at_once_than_may_be() -> None:
    doing = threading.Semaphore(2)

    def do(number: int) -> int:
        assert doing.acquire(blocking=False)
        doing.release()
        return number

    assert len([*Batch(do, range(200), jobs=2).ended()]) == 200


def test_what_is_under_way_is_named() -> None:
    go, begun = threading.Event(), threading.Semaphore(0)

    def do(_: str) -> None:
        begun.release()
        go.wait(30)

    batch = Batch(do, ("one", "two", "three"), jobs=2)
    begun.acquire(timeout=30)
    begun.acquire(timeout=30)
    assert batch.under_way() == ["one", "two"]
    go.set()
    assert len([*batch.ended()]) == 3


def test_after_a_failure_nothing_more_is_begun_and_what_is_under_way_ends() -> None:
    done: list[int] = []

    def do(number: int) -> None:
        if number == 1:
            raise LookupError("this one")
        done.append(number)

    with pytest.raises(LookupError, match="this one"):
        for _ in Batch(do, range(100), jobs=1).ended():
            pass
    assert done == [0]


def test_nothing_is_done_of_nothing() -> None:
    assert [*Batch(str.upper, (), jobs=4).ended()] == []
