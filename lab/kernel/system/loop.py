"""The poll loop of a run: what has descriptors to watch is a source, served by one thread."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Collection, Iterable
from typing import Protocol

POLL_MS = 1  # between checks of a condition for which there is no descriptor
PATIENT_MS = 20  # the same where it has been waited for for long
PART_OF_WAIT = 10  # how much later than it came true it may be seen, of how long that took


class Source(Protocol):
    """Something that the loop serves: captures, programs, an instrument, a link."""

    def descriptors(self) -> Iterable[int]:
        """The descriptors to poll for reading, asked for before each wait."""

    def take(self, readable: Collection[int]) -> None:
        """Read what has arrived, without waiting. Called after each wait.

        `readable` are all descriptors that poll found readable, other sources' included.
        """


class Loop:
    """Waits for all sources at once, and serves them in the order in which they were added."""

    def __init__(self) -> None:
        self._sources: list[Source] = []

    def add(self, source: Source) -> None:
        """Serve the source from now on, after those that were added before it."""
        self._sources.append(source)

    def remove(self, source: Source) -> None:
        """Serve the source no longer."""
        self._sources.remove(source)

    def serve_once(self, wait_ms: int, also: Iterable[int] = ()) -> None:
        """Wait until a descriptor is readable, at most `wait_ms`, then serve every source.

        `also` are more descriptors that end the wait.
        """
        poll = select.poll()
        for source in self._sources:
            for descriptor in source.descriptors():
                poll.register(descriptor, select.POLLIN)
        for descriptor in also:
            poll.register(descriptor, select.POLLIN)
        readable = {descriptor for descriptor, _ in poll.poll(wait_ms)}
        for source in self._sources:
            source.take(readable)

    def serve_until(
        self, done: Callable[[], bool], deadline_s: float, also: Iterable[int] = ()
    ) -> None:
        """Serve the sources until done() is true, or the deadline has passed.

        The longer it has waited the more seldom it asks: what it asks may be a walk through tables.
        """
        began_ns = time.monotonic_ns()
        deadline_ns = began_ns + round(deadline_s * 1e9)
        while not done() and (now_ns := time.monotonic_ns()) <= deadline_ns:
            part_ms = (now_ns - began_ns) // (PART_OF_WAIT * 1_000_000)
            self.serve_once(min(max(POLL_MS, part_ms), PATIENT_MS), also)
