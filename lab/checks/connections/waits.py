"""How long a timer waited from event to event, as ratios."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from lab.model.claim import Verdict, broken, holds, undecided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.model.event import EventId

LEAST_RATIO, MOST_RATIO = 1.6, 2.5
"""Of a wait to the one before it, where it should be 2: timers count in jiffies, and are late on a
busy machine."""


def check_doubling(times_ns: Sequence[int], events: Sequence[EventId]) -> Verdict:
    """Whether each wait is twice the one before; undecided of fewer than two waits."""
    waits = [later - earlier for earlier, later in pairwise(times_ns)]
    if len(waits) < 2:
        return undecided("there were no two waits to compare", events)
    said = f"waits of {milliseconds(waits)} ms"
    for before, after in pairwise(waits):
        if not LEAST_RATIO <= after / before <= MOST_RATIO:
            return broken(f"{said}: {after / before:.2f} times, not twice", events)
    ratios = ", ".join(f"{after / before:.2f}" for before, after in pairwise(waits))
    return holds(f"{said}: {ratios} times", events)


def milliseconds(waits: Sequence[int]) -> str:
    """ "200, 404 and 810"."""
    *first, last = [f"{each / 1e6:.0f}" for each in waits]
    return f"{', '.join(first)} and {last}" if first else last
