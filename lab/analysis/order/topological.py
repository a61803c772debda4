"""Events put in an order that keeps causes before effects."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from lab.analysis.order.events import Event, EventPart, Order

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Edge = tuple[int, int]
"""Places of a cause and of its effect in the list of events."""

_WORDS = {
    EventPart.ENTRY: "was entered",
    EventPart.EXIT: "returned",
    EventPart.DEPARTURE: "left",
    EventPart.ARRIVAL: "arrived",
    EventPart.STATE: "was reached",
    EventPart.DROP: "was reported",
    EventPart.STRIKE: "was struck",
    EventPart.QUEUE: "was asked",
}
_AT_A_POINT = (EventPart.DEPARTURE, EventPart.ARRIVAL)

FRAME_SLACK_NS = 1_000
"""Frames are stamped by the kernel where it hands them on, whatever looks at the calls."""


def sort_events(events: Sequence[Event], edges: Iterable[Edge], slack_ns: int) -> Order:
    """The order of events, by time as far as `edges` from causes to effects allow.

    An edge whose effect has an earlier time than its cause is a violation; the cause comes
    first in the order all the same. Where edges make a circle its earliest event comes first.
    """
    known = dict.fromkeys(edges)
    violations: list[str] = []
    is_by_time = True
    for cause, effect in known:
        cause_ns, effect_ns = events[cause].time_ns, events[effect].time_ns
        if effect_ns < cause_ns:
            violations.append(_violation(events[cause], events[effect]))
        is_by_time = is_by_time and (cause_ns, cause) < (effect_ns, effect)
    circles: list[str] = []
    if is_by_time:
        # Of what may come next the earliest comes, and by time nothing comes before its causes.
        order = sorted(range(len(events)), key=lambda place: events[place].time_ns)
    else:
        order, circles = _sort(events, known)
    place_of = [0] * len(order)
    for now, place in enumerate(order):
        place_of[place] = now
    return Order(
        events=tuple([events[place] for place in order]),
        concurrent=_find_concurrent(events, order, known, slack_ns),
        slack_ns=slack_ns,
        edges=len(known),
        violations=(*violations, *circles),
        causes=tuple([(place_of[cause], place_of[effect]) for cause, effect in known]),
    )


def _sort(events: Sequence[Event], edges: Iterable[Edge]) -> tuple[list[int], list[str]]:
    """Kahn's algorithm; of what may come next the earliest comes."""
    causes = [0] * len(events)
    effects: list[list[int]] = [[] for _ in events]
    for cause, effect in edges:
        effects[cause].append(effect)
        causes[effect] += 1
    ready = [(events[place].time_ns, place) for place, count in enumerate(causes) if not count]
    heapify(ready)
    order: list[int] = []
    circles: list[str] = []
    while len(order) < len(events):
        if not ready:
            first = min((m.time_ns, at) for at, m in enumerate(events) if causes[at] > 0)
            ready.append(first)
            causes[first[1]] = 0
            circles.append(f"{_words(events[first[1]])} after what only comes after it")
        place = heappop(ready)[1]
        order.append(place)
        for effect in effects[place]:
            causes[effect] -= 1
            if not causes[effect]:
                heappush(ready, (events[effect].time_ns, effect))
    return order, circles


def _find_concurrent(
    events: Sequence[Event], order: Sequence[int], edges: dict[Edge, None], slack_ns: int
) -> frozenset[int]:
    """Places in the order. Between neighbours there is no other path than an edge."""
    found: list[int] = []
    for at in range(1, len(order)):
        before, after = order[at - 1], order[at]
        one, other = events[before], events[after]
        apart_ns = abs(other.time_ns - one.time_ns)
        if apart_ns < slack_ns and (before, after) not in edges and not _has_order(one, other):
            found.append(at)
    return frozenset(found)


def _has_order(one: Event, other: Event) -> bool:
    """Whether both are of captured frames, at one point or with timestamps far enough apart."""
    if one.part not in _AT_A_POINT or other.part not in _AT_A_POINT:
        return False
    is_one_point = one.part is other.part and one.host == other.host
    return is_one_point or abs(other.time_ns - one.time_ns) >= FRAME_SLACK_NS


def _violation(cause: Event, effect: Event) -> str:
    early_us = (cause.time_ns - effect.time_ns) / 1000
    return f"{_words(effect)} {early_us:.3f} µs before {_words(cause)}, which must come first"


def _words(event: Event) -> str:
    return f"{event.id} {_WORDS[event.part]}"
