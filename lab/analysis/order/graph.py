"""A step's events and the edges between them, while they are being found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.order.events import Event, EventPart
from lab.analysis.order.topological import sort_events

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.evidence import Evidence
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.order.events import Order
    from lab.model.event import EventId


class EventGraph:
    """Events by what they are of; their places are what edges are between."""

    __slots__ = (
        "_edges", "_events", "arrivals", "departures", "drops", "entries", "exits", "queues",
        "states",
    )  # fmt: skip

    def __init__(self, evidence: Evidence) -> None:
        self._events: list[Event] = []
        self._edges: list[tuple[int, int]] = []
        self.entries: dict[EventId, int] = {}
        self.exits: dict[EventId, int] = {}
        self.departures: dict[EventId, int] = {}
        self.arrivals: dict[EventId, int] = {}
        self.states: list[int] = []
        """In the order of the evidence's."""
        self.queues: list[int] = []
        """In the order of the evidence's."""
        self.drops: dict[EventId, int] = {}
        self._add_calls(evidence.system_calls)
        self._add_crossings(evidence.crossings.values())
        self._add_states(evidence)
        self._add_queues(evidence)
        self._add_drops(evidence)

    def link(self, cause: int | None, effect: int | None) -> None:
        """An edge, where both events were seen."""
        if cause is not None and effect is not None:
            self._edges.append((cause, effect))

    def place(self, time_ns: int, part: EventPart, id: EventId, host: str) -> int:
        """The place of a new event."""
        self._events.append(Event(time_ns, part, id, host))
        return len(self._events) - 1

    def time_ns(self, place: int) -> int:
        """When that event was."""
        return self._events[place].time_ns

    def entry_of(self, call: EventId | None) -> int | None:
        """The place of a call's entry; None where there is no such call."""
        return None if call is None else self.entries.get(call)

    def departure_of(self, frame: EventId | None) -> int | None:
        """The place of a frame's departure; None where none was seen."""
        return None if frame is None else self.departures.get(frame)

    def arrival_of(self, frame: EventId | None) -> int | None:
        """The place of a frame's arrival; None where none was seen."""
        return None if frame is None else self.arrivals.get(frame)

    def sort(self, slack_ns: int) -> Order:
        """All events in order."""
        return sort_events(self._events, self._edges, slack_ns)

    def _add_calls(self, calls: Iterable[SystemCall]) -> None:
        entry, end = EventPart.ENTRY, EventPart.EXIT
        for call in calls:
            self.entries[call.id] = self.place(call.entry_ns, entry, call.id, call.host)
            if call.exit_ns is not None:
                self.exits[call.id] = self.place(call.exit_ns, end, call.id, call.host)

    def _add_crossings(self, crossings: Iterable[Crossing]) -> None:
        left, came = EventPart.DEPARTURE, EventPart.ARRIVAL
        for crossing in crossings:
            id = crossing.id
            if crossing.sent_ns is not None:
                place = self.place(crossing.sent_ns, left, id, crossing.sender)
                self.departures[id] = place
            if crossing.received_ns is not None:
                place = self.place(crossing.received_ns, came, id, crossing.receiver)
                self.arrivals[id] = place

    def _add_states(self, evidence: Evidence) -> None:
        for seen in evidence.states:
            time_ns, host = seen.state.time_ns, evidence.host_of(seen)
            self.states.append(self.place(time_ns, EventPart.STATE, seen.id, host))

    def _add_queues(self, evidence: Evidence) -> None:
        for id, sample, call in evidence.queues:
            self.queues.append(self.place(sample.time_ns, EventPart.QUEUE, id, call.host))

    def _add_drops(self, evidence: Evidence) -> None:
        for each in evidence.drops:
            host = evidence.crossings[each.frame].receiver
            self.drops[each.id] = self.place(each.notice.time_ns, EventPart.DROP, each.id, host)
