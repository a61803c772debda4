"""A step's events by what they are of."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from lab.analysis.order.event_columns import Events, FramePlaces
from lab.analysis.order.events import EventPart
from lab.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.analysis.correlate.evidence import Evidence
    from lab.model.event import EventId

_OF_FRAMES = (EventPart.DEPARTURE, EventPart.ARRIVAL)

PossibleEdge = tuple[int | None, int | None]
"""Places of a cause and of its effect; None where that event was not seen."""


@frozen
class EventPlaces:
    """All events of a step, and where each is among them: its place."""

    events: Events
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
    events = Events()
    for time_ns, part, id, host in _events(evidence):
        events.add(time_ns, part, id, host)
    of: dict[EventPart, Mapping[EventId, int]] = {
        part: MappingProxyType(dict(events.places_of(part)))
        for part in EventPart
        if part not in _OF_FRAMES
    }
    of |= {part: FramePlaces(events.places_of(part)) for part in _OF_FRAMES}
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


def _events(evidence: Evidence) -> Iterator[tuple[int, EventPart, EventId, str]]:
    for call in evidence.system_calls:
        yield (call.entry_ns, EventPart.ENTRY, call.id, call.host)
        if call.exit_ns is not None:
            yield (call.exit_ns, EventPart.EXIT, call.id, call.host)
    for id, crossing in evidence.crossings.items():
        if crossing.sent_ns is not None:
            yield (crossing.sent_ns, EventPart.DEPARTURE, id, crossing.sender)
        if crossing.received_ns is not None:
            yield (crossing.received_ns, EventPart.ARRIVAL, id, crossing.receiver)
    for seen in evidence.states:
        yield (seen.state.time_ns, EventPart.STATE, seen.id, evidence.host_of(seen))
    for queue in evidence.queues:
        yield (queue.sample.time_ns, EventPart.QUEUE, queue.id, queue.call.host)
    for each in evidence.drops:
        host = evidence.crossings[each.frame].receiver
        yield (each.notice.time_ns, EventPart.DROP, each.id, host)
    for struck in evidence.struck:
        yield (struck.strike.time_ns, EventPart.STRIKE, struck.id, "")
