"""The ladder of one step of a run: with system calls where they were traced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from lab.analysis.calls.call_text import left_to_read
from lab.analysis.flows.by_number import by_number
from lab.analysis.order.events import EventPart
from lab.analysis.story import EXPLANATIONS, Phase, phases
from lab.analysis.timeline import Timeline
from lab.ladder import likeness
from lab.ladder.background import without_background
from lab.ladder.calls import CallRows, call_labels
from lab.ladder.frames import (
    connections_by_crossing,
    frame_row,
    part_of,
    segments_by_crossing,
)
from lab.ladder.hops import FloodedCopies, spread, without_mere_copies
from lab.ladder.lanes import lane_connections, place
from lab.ladder.model import (
    CallRow,
    DropRow,
    ElisionRow,
    EventRow,
    FrameRow,
    Ladder,
    NoteRow,
    Part,
    PhaseRow,
    QueueRow,
    Row,
    StateRow,
    StrikeRow,
)
from lab.ladder.repetition import MOST_ROWS, Elided, beginning, ending, without_repetition
from lab.ladder.spans import Span, spans
from lab.ladder.transfers import transfers_of
from lab.model.event import EventId, EventKind
from lab.records import SocketState

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing

MOST_EVENTS = 10_000
"""Of more, the middle of a step is not looked at: neither what repeats in it is found."""

ENOUGH_EVENTS = 2_500
"""At the beginning of such a step and at its end."""


def build_ladder(timeline: Timeline) -> Ladder:
    """All of a step, in the timeline's order; without calls, its frames alone.

    What repeats is folded. Of a step with more than MOST_EVENTS only what is drawn has rows.
    """
    timeline, copies = without_mere_copies(timeline)
    outer, background = (
        without_background(timeline, MOST_ROWS) if timeline.system_calls else (timeline, ())
    )
    builder = _Builder(outer, copies)
    rows = builder.rows() if timeline.system_calls else builder.rows_of_frames()
    violations = timeline.order.violations if timeline.system_calls else ()
    return Ladder(builder.placing.lanes, tuple(with_phases(rows)), background, violations)


def with_phases(rows: Sequence[Row]) -> Iterator[Row]:
    """The rows, with a heading before the frame that begins a phase; explained the first time."""
    phase: Phase | None = None
    explained: set[Phase] = set()
    for row in rows:
        begins = isinstance(row, FrameRow) and row.part is not Part.END
        if isinstance(row, FrameRow) and begins and row.phase is not phase:
            phase = row.phase
            yield PhaseRow(phase, "" if phase in explained else EXPLANATIONS[phase])
            explained.add(phase)
        yield row


class _Builder:
    """Makes the rows of one step."""

    def __init__(self, timeline: Timeline, copies: FloodedCopies) -> None:
        self.timeline = timeline
        self.copies = copies
        self.placing = place(timeline)
        self.ports = lane_connections(timeline, self.placing)
        self.clients = {int(port) for port in self.ports.values()}
        self.call_of = {call.id: call for call in timeline.system_calls}
        self.state_of = {seen.id: seen.state for seen in timeline.states}
        self.queue_of = {queue.id: queue for queue in timeline.queues}
        self.drop_of = {drop.id: drop for drop in timeline.drops}
        self.strike_of = {struck.id: struck for struck in timeline.struck}
        self.host_of_point = {point.name: point.host for point in timeline.recording.points}
        self.segment_of = segments_by_crossing(timeline.conversations)
        self.labels = call_labels(timeline.system_calls, self.placing.of_call)
        self.calls = CallRows(self.labels, self.placing.of_call, timeline.endpoints, self.ports)
        self.transfers = transfers_of(timeline, self.placing.of_call)
        self.remarks: dict[EventId, list[str]] = {}
        for event, remark in timeline.correlation.remarks if timeline.system_calls else ():
            self.remarks.setdefault(event, []).append(remark)
        self.crossing_of = by_number(timeline.crossings)
        self.phase_of = phases(timeline.crossings, timeline.conversations)
        self.connection_of = connections_by_crossing(timeline.conversations, self.ports)

    def rows(self) -> list[Row]:
        """All but the headings: events, what repeats of them folded, and what belongs to them."""
        order = self.timeline.order
        rows = self._page(
            len(order.events),
            lambda places: [
                (span.place, self._event_row(span))
                for span in spans(order, self._seen_once, places)
            ],
            self._left_open,
        )
        unfinished = (call for call in self.timeline.system_calls if call.exit_ns is None)
        return [*rows, *map(self.calls.unfinished, unfinished)]

    def rows_of_frames(self) -> list[Row]:
        """The same of frames alone, each in one row."""
        crossings = self.timeline.crossings
        return self._page(
            len(crossings),
            lambda places: [(place, self._frame(crossings[place])) for place in places],
            lambda _places: (),
        )

    def _page(
        self,
        count: int,
        rows_at: Callable[[range], list[tuple[int, EventRow]]],
        left_open: Callable[[range], Iterable[EventRow]],
    ) -> list[Row]:
        """The rows of so many events; of too many the first and the last, and those left open."""
        if count <= MOST_EVENTS:
            return self._drawn(
                without_repetition([row for _, row in rows_at(range(count))], self._likeness)
            )
        first, last = rows_at(range(ENOUGH_EVENTS)), rows_at(range(count - ENOUGH_EVENTS, count))
        head, shown = beginning([row for _, row in first], self._likeness)
        tail, hidden = ending([row for _, row in last], self._likeness)
        begin = first[shown][0] if shown < len(first) else ENOUGH_EVENTS
        places = range(begin, last[hidden][0])
        text = f"... {len(places)} events left out; report.json has them"
        return [
            *self._drawn(head),
            ElisionRow(tuple(left_open(places)), text, None),
            *self._drawn(tail),
        ]

    def _drawn(self, kept: Iterable[EventRow | Elided]) -> list[Row]:
        """The rows that are kept, with what belongs to them."""
        rows: list[Row] = []
        for each in spread(kept, self.crossing_of, self.placing.of_host, self.copies):
            if isinstance(each, Elided):
                inside = tuple(row for event in each.rows for row in self._with_company(event))
                rows.append(ElisionRow(inside, each.text, _common_lane(each.rows)))
            else:
                rows += self._with_company(each)
        return rows

    def _left_open(self, places: range) -> Iterator[EventRow]:
        """The ends of calls at these places whose other ends are elsewhere."""
        found: dict[EventId, Span] = {}
        events, concurrent = self.timeline.order.events, self.timeline.order.concurrent
        for number in places:
            event = events[number]
            if (
                event.part in (EventPart.ENTRY, EventPart.EXIT)
                and found.pop(event.id, None) is None
            ):
                found[event.id] = Span(event, number, False, number in concurrent)
        return map(self._event_row, found.values())

    def _seen_once(self, frame: EventId) -> bool:
        crossing = self.crossing_of[frame.number]
        return crossing.sent_ns is None or crossing.received_ns is None

    def _frame(self, crossing: Crossing) -> FrameRow:
        number = crossing.number
        return frame_row(
            crossing,
            self.segment_of.get(number),
            self.placing.of_frame(crossing),
            self.phase_of[number],
            name=str(crossing.id),
            connection=self.connection_of.get(number, ""),
        )

    def _event_row(self, span: Span) -> EventRow:
        event, is_concurrent = span.event, span.is_concurrent
        name, time_ns = event.id, event.time_ns
        is_start = event.part in (EventPart.ENTRY, EventPart.DEPARTURE)
        part = Part.WHOLE if span.is_whole else Part.START if is_start else Part.END
        if name in self.call_of:
            return self.calls.row(self.call_of[name], part, time_ns, is_concurrent)
        if name.kind is EventKind.FRAME:
            return part_of(self._frame(self.crossing_of[name.number]), part, time_ns, is_concurrent)
        if name in self.state_of:
            state = self.state_of[name]
            lane, port = self.placing.of_state(state, event.host), self._connection(state)
            return StateRow(
                name, lane, time_ns, is_concurrent, port, state.old, state.new, state.obtained
            )
        if name in self.queue_of:
            queue = self.queue_of[name]
            label, lane = self.labels[queue.call.id], self.placing.of_call(queue.call)
            caller = str(label) if label.owner else ""
            left = left_to_read(queue.sample)
            return QueueRow(name, lane, time_ns, is_concurrent, queue.call.id, caller, left)
        if name in self.strike_of:
            return self._strike_row(span)
        drop = self.drop_of[name]
        lane, what = (
            self.placing.of_host(event.host),
            self._frame(self.crossing_of[drop.frame.number]).label,
        )
        return DropRow(name, lane, time_ns, is_concurrent, drop.frame, drop.notice.reason, what)

    def _strike_row(self, span: Span) -> StrikeRow:
        struck = self.strike_of[span.event.id]
        strike = struck.strike
        return StrikeRow(
            struck.id,
            self.placing.of_host(self.host_of_point.get(strike.point, "")),
            strike.time_ns,
            span.is_concurrent,
            struck.frame,
            struck.text,
            struck.rule.text,
            is_end=strike.is_end or bool(strike.changed),
            is_late=bool(strike.delay_ns),
        )

    def _connection(self, state: SocketState) -> str:
        """The port that identifies the socket's connection, if there are several."""
        if not self.ports:
            return ""
        port = state.remote_port if state.remote_port in self.clients else state.local_port
        return str(port) if port else ""

    def _with_company(self, row: EventRow) -> Iterator[Row]:
        """The row, preceded by the bytes that it returns and followed by its remarks."""
        is_end = getattr(row, "part", Part.END) is not Part.START
        if isinstance(row, FrameRow) and row.hop:
            is_end = row.hop == len(self.crossing_of[row.event.number].hops)
        if isinstance(row, CallRow) and is_end and row.event in self.transfers:
            yield self.transfers[row.event]
        yield row
        for remark in self.remarks.get(row.event, ()) if is_end else ():
            yield NoteRow(row.event, _own_lane(row), remark)

    def _likeness(self, row: EventRow) -> likeness.Likeness:
        if row.event not in self.remarks:
            if isinstance(row, CallRow):
                return likeness.of_call(row, self.call_of[row.event])
            if isinstance(row, FrameRow):
                return likeness.of_frame(row, self.segment_of.get(row.event.number))
        return likeness.always(row)


def _own_lane(row: EventRow) -> int:
    """The lane in which it happened."""
    if isinstance(row, FrameRow):
        has_left = row.part is not Part.END and row.sent_ns is not None
        return row.source if has_left else row.target
    return row.lane


def _common_lane(rows: Sequence[EventRow]) -> int | None:
    """The lane in which all the calls are; None where they are in several, or frames are there."""
    lanes = {row.lane if isinstance(row, CallRow) else None for row in rows}
    return next(iter(lanes)) if len(lanes) == 1 else None
