"""What a program does within itself, left out of a ladder that is about more than that.

A shell that starts a program makes pipes by the dozen, before the first packet leaves.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from lab.analysis.order.events import Order
from lab.analysis.timeline import Timeline
from lab.model.event import EventId

MOST_INNER_CALLS = 30
"""As many are in it: they may be what an experiment is about."""


def without_inner_calls(timeline: Timeline) -> tuple[Timeline, int]:
    """The timeline without calls on pipes and socket pairs within one program, and their number.

    It is given back as it is where they are few, or nothing else went on between programs.
    """
    inner = _inner_endpoints(timeline)
    calls = {
        call.id
        for call in timeline.system_calls
        if call.socket in inner or (call.made and inner.issuperset(call.made))
    }
    outer = [
        c for c in timeline.correlation.channels if c.sender not in inner or c.receiver not in inner
    ]
    if len(calls) <= MOST_INNER_CALLS or not (outer or timeline.crossings):
        return timeline, 0
    samples = {queue.id for queue in timeline.queues if queue.call.id in calls}
    outer_timeline = replace(
        timeline,
        system_calls=tuple(call for call in timeline.system_calls if call.id not in calls),
        order=_without(timeline.order, calls | samples),
        correlation=replace(timeline.correlation, channels=tuple(outer)),
    )
    return outer_timeline, len(calls)


def _inner_endpoints(timeline: Timeline) -> set[str]:
    """Ends of pipes and socket pairs whose both ends one program alone has used."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    for call in timeline.system_calls:
        for endpoint in (call.socket, *call.made):
            users[endpoint].add(call.program)
    return {
        end.id
        for end in timeline.endpoints
        if (end.domain == "pipe" or (end.domain == "AF_UNIX" and not end.local and end.peer))
        and len(users[end.id] | users[end.peer]) == 1
    }


def _without(order: Order, left_out: set[EventId]) -> Order:
    """The order without those events."""
    kept = [place for place, event in enumerate(order.events) if event.id not in left_out]
    concurrent = {
        new
        for new, place in enumerate(kept)
        # What it was too close to must still be there.
        if place in order.concurrent and new and kept[new - 1] == place - 1
    }
    events = tuple(order.events[place] for place in kept)
    return replace(order, events=events, concurrent=frozenset(concurrent))
