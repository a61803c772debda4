"""A step's events as a ladder draws them: an end that follows at once shares its line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lab.analysis.order.events import Event, EventPart, Order
from lab.model.event import EventId

OTHER_END = {
    EventPart.ENTRY: EventPart.EXIT,
    EventPart.DEPARTURE: EventPart.ARRIVAL,
}
OF_FRAMES = (EventPart.DEPARTURE, EventPart.ARRIVAL)


@dataclass(frozen=True, slots=True)
class Beat:
    """What one line of the ladder is about."""

    event: Event
    is_whole: bool
    """Whether the event's other end is drawn with it: it follows at once, or was never seen."""
    is_concurrent: bool
    """Whether its order against what is above it is not known."""


def beats(order: Order) -> Iterator[Beat]:
    """The order's events, those left out that are drawn with the one before them."""
    events = order.events
    sightings = Counter(event.id for event in events if event.part in OF_FRAMES)
    is_drawn = False
    for place, event in enumerate(events):
        if is_drawn:
            is_drawn = False
            continue
        is_drawn = _is_end_of(event, events[place + 1 : place + 2])
        seen_once = event.part in OF_FRAMES and sightings[event.id] == 1
        yield Beat(event, is_drawn or seen_once, place in order.concurrent)


def _is_end_of(event: Event, following: Sequence[Event]) -> bool:
    """Whether what follows is the event's own other end."""
    return any(
        after.id == event.id and after.part is OTHER_END.get(event.part) for after in following
    )


def deepest(drawn: Sequence[Beat], is_here: Callable[[EventId], bool]) -> int:
    """How many calls at most need a bracket on one line, of those that `is_here` takes."""
    open_calls = most = 0
    for beat in drawn:
        part, call = beat.event.part, beat.event.id
        if part is EventPart.ENTRY and is_here(call):
            most = max(most, open_calls + 1)
            open_calls += not beat.is_whole
        elif part is EventPart.EXIT and is_here(call):
            open_calls -= 1
    return most
