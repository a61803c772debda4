"""Events put in an order that keeps causes before effects."""

from __future__ import annotations

from array import array
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from lab.analysis.order.event_columns import Edges, Events
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
    if not isinstance(events, Events):
        events = Events(events)
    count = len(events)
    # As one number each: as pairs they take three times the memory.
    known = dict.fromkeys(cause * count + effect for cause, effect in edges)
    violations: list[str] = []
    is_by_time = True
    for edge in known:
        cause, effect = divmod(edge, count)
        cause_ns, effect_ns = events.time_ns(cause), events.time_ns(effect)
        if effect_ns < cause_ns:
            violations.append(_violation(events[cause], events[effect]))
        is_by_time = is_by_time and (cause_ns, cause) < (effect_ns, effect)
    circles: list[str] = []
    if is_by_time:
        # Of what may come next the earliest comes, and by time nothing comes before its causes.
        order = sorted(range(count), key=events.time_ns)
    else:
        order, circles = _sort(events, known)
    place_of = array("I", bytes(4 * count))
    for now, place in enumerate(order):
        place_of[place] = now
    return Order(
        events=events.at(order),
        concurrent=_find_concurrent(events, order, known, slack_ns),
        slack_ns=slack_ns,
        edges=len(known),
        violations=(*violations, *circles),
        causes=Edges(
            (place_of[edge // count] for edge in known), (place_of[edge % count] for edge in known)
        ),
    )


def _sort(events: Events, edges: dict[int, None]) -> tuple[list[int], list[str]]:
    """Kahn's algorithm; of what may come next the earliest comes."""
    count, time_ns = len(events), events.time_ns
    causes = array("i", bytes(4 * count))
    effects: dict[int, list[int]] = {}
    for edge in edges:
        cause, effect = divmod(edge, count)
        effects.setdefault(cause, []).append(effect)
        causes[effect] += 1
    ready = [(time_ns(place), place) for place, waits_for in enumerate(causes) if not waits_for]
    heapify(ready)
    order: list[int] = []
    circles: list[str] = []
    while len(order) < count:
        if not ready:
            first = min((time_ns(at), at) for at in range(count) if causes[at] > 0)
            ready.append(first)
            causes[first[1]] = 0
            circles.append(f"{_words(events[first[1]])} after what only comes after it")
        place = heappop(ready)[1]
        order.append(place)
        for effect in effects.pop(place, ()):
            causes[effect] -= 1
            if not causes[effect]:
                heappush(ready, (time_ns(effect), effect))
    return order, circles


def _find_concurrent(
    events: Events, order: Sequence[int], edges: dict[int, None], slack_ns: int
) -> frozenset[int]:
    """Places in the order. Between neighbours there is no other path than an edge."""
    found: list[int] = []
    count = len(events)
    for at in range(1, count):
        before, after = order[at - 1], order[at]
        apart_ns = abs(events.time_ns(after) - events.time_ns(before))
        if apart_ns >= slack_ns or before * count + after in edges:
            continue
        if not _has_order(events, before, after, apart_ns):
            found.append(at)
    return frozenset(found)


def _has_order(events: Events, one: int, other: int, apart_ns: int) -> bool:
    """Whether both are of captured frames, at one point or with timestamps far enough apart."""
    parts = events.part(one), events.part(other)
    if parts[0] not in _AT_A_POINT or parts[1] not in _AT_A_POINT:
        return False
    is_one_point = parts[0] is parts[1] and events.host_number(one) == events.host_number(other)
    return is_one_point or apart_ns >= FRAME_SLACK_NS


def _violation(cause: Event, effect: Event) -> str:
    early_us = (cause.time_ns - effect.time_ns) / 1000
    return f"{_words(effect)} {early_us:.3f} µs before {_words(cause)}, which must come first"


def _words(event: Event) -> str:
    return f"{event.id} {_WORDS[event.part]}"
