"""A step's moments and the edges between them, while they are being found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.order.moments import Moment, MomentKind
from lab.analysis.order.topological import sort_moments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.correlate.correlation import Dropped
    from lab.analysis.correlate.evidence import Evidence
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.order.moments import Order


class MomentGraph:
    """Moments by what they are of; their places are what edges are between."""

    __slots__ = (
        "_edges", "_moments", "arrivals", "departures", "drops", "entries", "exits", "queues",
        "states",
    )  # fmt: skip

    def __init__(self, evidence: Evidence, dropped: Iterable[Dropped]) -> None:
        self._moments: list[Moment] = []
        self._edges: list[tuple[int, int]] = []
        self.entries: dict[str, int] = {}
        """By the call's id."""
        self.exits: dict[str, int] = {}
        self.departures: dict[int, int] = {}
        """By the crossing's number."""
        self.arrivals: dict[int, int] = {}
        self.states: list[int] = []
        """In the order of the evidence's."""
        self.queues: list[int] = []
        """In the order of the evidence's."""
        self.drops: dict[int, int] = {}
        """By the drop's number."""
        self._add_calls(evidence.system_calls)
        self._add_crossings(evidence.crossings.values())
        self._add_states(evidence)
        self._add_queues(evidence)
        self._add_drops(evidence, dropped)

    def link(self, cause: int | None, effect: int | None) -> None:
        """An edge, where both moments were seen."""
        if cause is not None and effect is not None:
            self._edges.append((cause, effect))

    def place(self, time_ns: int, kind: MomentKind, event: str, host: str) -> int:
        """The place of a new moment."""
        self._moments.append(Moment(time_ns, kind, event, host))
        return len(self._moments) - 1

    def time_ns(self, place: int) -> int:
        """When that moment was."""
        return self._moments[place].time_ns

    def sort(self, slack_ns: int) -> Order:
        """All moments in order."""
        return sort_moments(self._moments, self._edges, slack_ns)

    def _add_calls(self, calls: Iterable[SystemCall]) -> None:
        entry, end = MomentKind.ENTRY, MomentKind.EXIT
        for call in calls:
            self.entries[call.id] = self.place(call.entry_ns, entry, call.id, call.host)
            if call.exit_ns is not None:
                self.exits[call.id] = self.place(call.exit_ns, end, call.id, call.host)

    def _add_crossings(self, crossings: Iterable[Crossing]) -> None:
        left, came = MomentKind.DEPARTURE, MomentKind.ARRIVAL
        for crossing in crossings:
            number, event = crossing.number, f"f{crossing.number}"
            if crossing.sent_ns is not None:
                place = self.place(crossing.sent_ns, left, event, crossing.sender)
                self.departures[number] = place
            if crossing.received_ns is not None:
                place = self.place(crossing.received_ns, came, event, crossing.receiver)
                self.arrivals[number] = place

    def _add_states(self, evidence: Evidence) -> None:
        for at, seen in enumerate(evidence.states, start=1):
            time_ns, host = seen.state.time_ns, evidence.host_of(seen)
            self.states.append(self.place(time_ns, MomentKind.STATE, f"state {at}", host))

    def _add_queues(self, evidence: Evidence) -> None:
        for at, (sample, call) in enumerate(evidence.queues, start=1):
            place = self.place(sample.time_ns, MomentKind.QUEUE, f"queue {at}", call.host)
            self.queues.append(place)

    def _add_drops(self, evidence: Evidence, dropped: Iterable[Dropped]) -> None:
        for each in dropped:
            notice = evidence.drops[each.drop - 1]
            host = evidence.crossings[each.crossing].receiver
            place = self.place(notice.time_ns, MomentKind.DROP, f"drop {each.drop}", host)
            self.drops[each.drop] = place
