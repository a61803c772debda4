"""An order's events as a ladder has rows for them: an end that follows at once shares its row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lab.analysis.order.events import Event, EventPart, Order
from lab.frozen import frozen
from lab.model.event import EventId

OTHER_END = {
    EventPart.ENTRY: EventPart.EXIT,
    EventPart.DEPARTURE: EventPart.ARRIVAL,
}
OF_FRAMES = (EventPart.DEPARTURE, EventPart.ARRIVAL)


@frozen
class Span:
    """What one row of the ladder is about."""

    event: Event
    place: int
    """The event's, in the order."""
    is_whole: bool
    """Whether the event's other end is in this row too: it follows at once, or was never seen."""
    is_concurrent: bool
    """Whether its order against the event above it is unknown."""


def spans(
    order: Order, seen_once: Callable[[EventId], bool], places: range | None = None
) -> Iterator[Span]:
    """The order's events, without those that share the row of the one before them.

    `seen_once` says of a frame whether one of its ends was not seen; `places` are those of the
    events that are wanted, all by default.
    """
    places = range(len(order.events)) if places is None else places
    is_shared = False
    for place in places:
        event = order.events[place]
        if is_shared:
            is_shared = False
            continue
        is_shared = _is_end_of(event, order.events[place + 1 : min(place + 2, places.stop)])
        is_alone = event.part in OF_FRAMES and seen_once(event.id)
        yield Span(event, place, is_shared or is_alone, place in order.concurrent)


def _is_end_of(event: Event, following: Sequence[Event]) -> bool:
    """Whether what follows is the event's own other end."""
    return any(
        after.id == event.id and after.part is OTHER_END.get(event.part) for after in following
    )
