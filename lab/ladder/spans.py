"""An order's events as a ladder has rows for them: an end that follows at once shares its row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab.analysis.order.events import Event, EventPart, Order

OTHER_END = {
    EventPart.ENTRY: EventPart.EXIT,
    EventPart.DEPARTURE: EventPart.ARRIVAL,
}
OF_FRAMES = (EventPart.DEPARTURE, EventPart.ARRIVAL)


@dataclass(frozen=True, slots=True)
class Span:
    """What one row of the ladder is about."""

    event: Event
    is_whole: bool
    """Whether the event's other end is in this row too: it follows at once, or was never seen."""
    is_concurrent: bool
    """Whether its order against the event above it is unknown."""


def spans(order: Order) -> Iterator[Span]:
    """The order's events, without those that share the row of the one before them."""
    events = order.events
    sightings = Counter(event.id for event in events if event.part in OF_FRAMES)
    is_shared = False
    for place, event in enumerate(events):
        if is_shared:
            is_shared = False
            continue
        is_shared = _is_end_of(event, events[place + 1 : place + 2])
        seen_once = event.part in OF_FRAMES and sightings[event.id] == 1
        yield Span(event, is_shared or seen_once, place in order.concurrent)


def _is_end_of(event: Event, following: Sequence[Event]) -> bool:
    """Whether what follows is the event's own other end."""
    return any(
        after.id == event.id and after.part is OTHER_END.get(event.part) for after in following
    )
