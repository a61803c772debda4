"""A step's events by what they are of."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from lab.analysis.order.events import Event, EventPart
from lab.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.analysis.correlate.evidence import Evidence
    from lab.model.event import EventId

PossibleEdge = tuple[int | None, int | None]
"""Places of a cause and of its effect; None where that event was not seen."""


@frozen
class EventPlaces:
    """All events of a step, and where each is among them: its place."""

    events: tuple[Event, ...]
    entries: Mapping[EventId, int]
    exits: Mapping[EventId, int]
    departures: Mapping[EventId, int]
    arrivals: Mapping[EventId, int]
    states: Mapping[EventId, int]
    queues: Mapping[EventId, int]
    drops: Mapping[EventId, int]
    strikes: Mapping[EventId, int]

    def entry_of(self, call: EventId | None) -> int | None:
        """The place of a call's entry; None where there is no such call."""
        return None if call is None else self.entries.get(call)

    def departure_of(self, frame: EventId | None) -> int | None:
        """The place of a frame's departure; None where none was seen."""
        return None if frame is None else self.departures.get(frame)

    def arrival_of(self, frame: EventId | None) -> int | None:
        """The place of a frame's arrival; None where none was seen."""
        return None if frame is None else self.arrivals.get(frame)


def place_events(evidence: Evidence) -> EventPlaces:
    """Every event of a step, one kind after another."""
    events = tuple(_events(evidence))
    places: dict[EventPart, dict[EventId, int]] = {part: {} for part in EventPart}
    for place, event in enumerate(events):
        places[event.part][event.id] = place
    of = {part: MappingProxyType(by_id) for part, by_id in places.items()}
    return EventPlaces(
        events=events,
        entries=of[EventPart.ENTRY],
        exits=of[EventPart.EXIT],
        departures=of[EventPart.DEPARTURE],
        arrivals=of[EventPart.ARRIVAL],
        states=of[EventPart.STATE],
        queues=of[EventPart.QUEUE],
        drops=of[EventPart.DROP],
        strikes=of[EventPart.STRIKE],
    )


def _events(evidence: Evidence) -> Iterator[Event]:
    for call in evidence.system_calls:
        yield Event(call.entry_ns, EventPart.ENTRY, call.id, call.host)
        if call.exit_ns is not None:
            yield Event(call.exit_ns, EventPart.EXIT, call.id, call.host)
    for id, crossing in evidence.crossings.items():
        if crossing.sent_ns is not None:
            yield Event(crossing.sent_ns, EventPart.DEPARTURE, id, crossing.sender)
        if crossing.received_ns is not None:
            yield Event(crossing.received_ns, EventPart.ARRIVAL, id, crossing.receiver)
    for seen in evidence.states:
        yield Event(seen.state.time_ns, EventPart.STATE, seen.id, evidence.host_of(seen))
    for queue in evidence.queues:
        yield Event(queue.sample.time_ns, EventPart.QUEUE, queue.id, queue.call.host)
    for each in evidence.drops:
        host = evidence.crossings[each.frame].receiver
        yield Event(each.notice.time_ns, EventPart.DROP, each.id, host)
    for struck in evidence.struck:
        yield Event(struck.strike.time_ns, EventPart.STRIKE, struck.id, "")
