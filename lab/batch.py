"""Several things done at once, each in a thread of its own."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def usual_jobs() -> int:
    """How many scenarios run at once: most of them wait for timers most of the time."""
    return 2 * len(os.sched_getaffinity(0))


class Batch(Generic[T, R]):
    """What is to be done with each of some things, at most `jobs` of them at once.

    The threads are daemons: whoever is interrupted leaves them, and what they have opened ends
    with the process.
    """

    def __init__(self, do: Callable[[T], R], things: Sequence[T], jobs: int) -> None:
        """Begin. `do` is called with each thing, in order, in any of the threads."""
        self._do = do
        self._count = len(things)
        self._todo = enumerate(things)
        self._lock = threading.Lock()
        self._under_way: dict[int, T] = {}
        self._is_over = False
        self._ended: queue.SimpleQueue[tuple[int, R | None, BaseException | None]]
        self._ended = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, daemon=True) for _ in range(min(jobs, self._count))
        ]
        for thread in self._threads:
            thread.start()

    def under_way(self) -> list[T]:
        """What is being done now, in the order in which it was begun."""
        with self._lock:
            return [*self._under_way.values()]

    def ended(self) -> Iterator[tuple[int, R]]:
        """Each result with the place of its thing, as they come.

        Raises what `do` raised first, once what was under way has ended; the rest is not begun.
        """
        for _ in range(self._count):
            number, result, error = self._ended.get()
            if error is not None:
                for thread in self._threads:
                    thread.join()
                raise error
            yield number, result  # type: ignore[misc]

    def _work(self) -> None:
        while (item := self._take()) is not None:
            number, thing = item
            try:
                self._ended.put((number, self._do(thing), None))
            except BaseException as error:
                with self._lock:
                    self._is_over = True
                self._ended.put((number, None, error))
            with self._lock:
                del self._under_way[number]

    def _take(self) -> tuple[int, T] | None:
        with self._lock:
            item = None if self._is_over else next(self._todo, None)
            if item is not None:
                self._under_way[item[0]] = item[1]
            return item
