"""The ladder with system calls: what the programs asked, the kernel did and the wire carried.

0.011 ┌ connect(3, 198.51.100.2:4242, 16)                             │
0.012 │ kernel: CLOSE → SYN_SENT                                      │
0.027 │ SYN-SENT     ─SYN seq=0 win=42340────────────────▶       LISTEN │
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from lab.analysis.calls.call_text import duration, entered, left_to_read, returned, took, took_long
from lab.analysis.calls.system_call import SystemCall
from lab.analysis.order.events import EventPart
from lab.analysis.story import EXPLANATIONS, Phase
from lab.analysis.timeline import Timeline
from lab.model.event import EventId
from lab.records import Obtained, SocketState
from lab.report.terminal import lanes
from lab.report.terminal.beats import Beat, beats, deepest
from lab.report.terminal.call_labels import ConnectionTags, call_labels
from lab.report.terminal.ladder import STATE_COLUMNS
from lab.report.terminal.legend import frame_clauses, trace_clauses
from lab.report.terminal.looks import Looks
from lab.report.terminal.repetition import LeftOut, rows_of
from lab.report.terminal.rungs import (
    Rung,
    below,
    colour_of,
    draw_arrival,
    draw_arrow,
    draw_departure,
    fits,
    label_of,
    states_of,
)
from lab.report.terminal.sides import Sides, state_on_right
from lab.report.terminal.style import Style
from lab.report.terminal.through_kernel import Passage, draw_passage

NO_FAULTS = frozenset({"EINPROGRESS", "EAGAIN", "EINTR", "EALREADY"})
"""Errors by which a call only tells that something is not over yet."""


class TracedLadder:
    """The ladder of one step, drawn in the timeline's order of events."""

    def __init__(
        self,
        timeline: Timeline,
        rungs: Sequence[Rung],
        sides: Sides,
        phase_of: Mapping[int, Phase],
        passages: Mapping[EventId, Passage],
        style: Style,
    ) -> None:
        """`passages` are what reads returned that no wire carried, by the reads' ids."""
        self.timeline = timeline
        self.style = style
        self.sides = sides
        self.phase_of = phase_of
        self.passages = passages
        self.call_of = {call.id: call for call in timeline.system_calls}
        self.rung_of = {rung.crossing.id: rung for rung in rungs}
        self.label_of_call = call_labels(timeline.system_calls, sides)
        self.tags = ConnectionTags(timeline)
        self.beats = list(beats(timeline.order))
        self.board = _board(self.beats, sides, style)
        self.states = STATE_COLUMNS + 1 if any(rung.segment for rung in rungs) else 0
        self.wire = self.board.room - 2 * self.states
        self.beneath = self.board.room - self.states - 2
        self.phase: Phase | None = None
        self.explained: set[Phase] = set()
        self.remarks: dict[EventId, list[str]] = {}
        for event, remark in timeline.joins.remarks:
            self.remarks.setdefault(event, []).append(remark)

    def legend(self) -> Iterator[str]:
        """What the signs mean, of those that there are, a clause each."""
        yield from trace_clauses(self.timeline, self.label_of_call.values(), self.style)
        yield from frame_clauses(self.timeline)

    def draw(self) -> Iterator[Text]:
        """The lines, and loudly those pairs that were seen effect before cause."""
        yield from self._rows()
        for violation in self.timeline.order.violations:
            for line in self.style.wrap(f"ORDER VIOLATED: {violation}", self.style.width - 2):
                yield Text(f"  {line}", "bold red")

    def _rows(self) -> Iterator[Text]:
        looks = Looks(self.call_of, self.rung_of, self.phase_of, frozenset(self.remarks))
        for row in rows_of(self.beats, looks.of):
            if isinstance(row, LeftOut):
                yield from self._left_out(row)
            else:
                yield from self._beat(row)
        for call in self.timeline.system_calls:
            if call.exit_ns is None:
                yield self._unfinished(call)

    def _left_out(self, row: LeftOut) -> list[Text]:
        """The line that stands for beats, after which what they left open is open."""
        for beat in row.beats:
            event = beat.event.id
            if event in self.call_of and not beat.is_whole:
                kind = lanes.OPENING if beat.event.part is EventPart.ENTRY else lanes.CLOSING
                self.board.pass_over(event, kind, event in self.sides.calls)
        on_right = all(beat.event.id in self.sides.calls for beat in row.beats)
        texts = self.style.wrap(row.told, self.board.room - 2)
        return self.board.block(texts, on_right, "bold yellow")

    def _beat(self, beat: Beat) -> Iterator[Text]:
        event = beat.event
        if event.part in (EventPart.ENTRY, EventPart.EXIT):
            yield from self._call(beat, self.call_of[event.id])
        elif event.part is EventPart.STATE:
            yield self._aside(beat, self._state_text(event.id), "dim cyan")
        elif event.part is EventPart.QUEUE:
            yield self._aside(beat, self._queue_text(event.id), "dim")
        elif event.part is EventPart.DROP:
            yield self._aside(beat, self._drop_text(event.id), "bold red")
        else:
            yield from self._frame(beat, self.rung_of[event.id])
        if beat.is_whole or event.part not in (EventPart.ENTRY, EventPart.DEPARTURE):
            yield from self._remarks(event.id, self._is_right(beat))

    def _is_right(self, beat: Beat) -> bool:
        event = beat.event
        if event.part is EventPart.STATE:
            seen = self.timeline.states[event.id.number - 1]
            is_right = state_on_right(seen.state, self.timeline, self.sides)
            if is_right is not None:
                return is_right
        if event.part is EventPart.QUEUE:
            queue = self.timeline.queues[event.id.number - 1]
            return queue.call.id in self.sides.calls
        return event.id in self.sides.calls or event.host in self.sides.hosts

    def _call(self, beat: Beat, call: SystemCall) -> Iterator[Text]:
        is_exit = beat.event.part is EventPart.EXIT
        if (is_exit or beat.is_whole) and call.id in self.passages:
            drawn = draw_passage(self.passages[call.id], self.board.room, self.style)
            yield self.board.line(Text(drawn, "bold"))
        if is_exit:
            kind, head, tail = lanes.CLOSING, returned(call), f"  {took(call)}"
        elif beat.is_whole:
            kind, head, tail = lanes.MOMENTARY, call.text[:-1], f") = {call.returned}"
            tail += f"  {took(call)}" if took_long(call) else ""
        else:
            kind, head, tail = lanes.OPENING, entered(call), ""
        yield self._bracket(call, kind, head, tail, beat.event.time_ns, beat.is_concurrent)

    def _bracket(
        self, call: SystemCall, kind: int, head: str, tail: str, time_ns: int, is_concurrent: bool
    ) -> Text:
        """A call's line; where it is too long, its middle is cut and its end kept."""
        tail = self.style.safe(tail)
        label = f"{self.label_of_call[call.id]} {self.tags.of(call, kind is not lanes.OPENING)}"
        head = self.style.cut(label + head, self.board.room - len(tail))
        is_fault = call.error and call.error not in NO_FAULTS and kind is not lanes.OPENING
        body = Text(head + tail, "red" if is_fault else "")
        on_right = call.id in self.sides.calls
        return self.board.call_line(body, call.id, kind, on_right, time_ns, is_concurrent)

    def _unfinished(self, call: SystemCall) -> Text:
        text = f"{self.label_of_call[call.id]} {call.name} had not returned when its program ended"
        body = Text(self.style.cut(text, self.board.room), "bold yellow")
        on_right = call.id in self.sides.calls
        return self.board.call_line(body, call.id, lanes.CLOSING, on_right, None, False)

    def _frame(self, beat: Beat, rung: Rung) -> Iterator[Text]:
        kind = beat.event.part
        if beat.is_whole or kind is EventPart.DEPARTURE:
            yield from self._phase_heading(rung)
        yield self.board.line(self._rung(beat, rung), beat.event.time_ns, beat.is_concurrent)
        if beat.is_whole or kind is EventPart.ARRIVAL:
            for note in self._notes(rung):
                for line in self.style.wrap(note, self.beneath):
                    yield self.board.line(Text(" " * (self.states + 2) + line, "dim"))

    def _rung(self, beat: Beat, rung: Rung) -> Text:
        """An arrow or half of one, with the states of the sides that it touches."""
        if rung.segment is None:
            return Text(self._arrow(beat, rung, self.board.room), colour_of(rung))
        left, right = states_of(rung)
        touches_left = beat.is_whole or (beat.event.part is EventPart.DEPARTURE) is rung.rightward
        touches_right = beat.is_whole or not touches_left
        body = Text(f"{left if touches_left else '':<{STATE_COLUMNS}} ", "dim italic")
        body.append(self._arrow(beat, rung, self.wire), colour_of(rung))
        body.append(f" {right if touches_right else '':>{STATE_COLUMNS}}", "dim italic")
        return body

    def _arrow(self, beat: Beat, rung: Rung, columns: int) -> str:
        crossing = rung.crossing
        if beat.is_whole:
            return draw_arrow(label_of(rung), rung, columns, self.style)
        if beat.event.part is EventPart.DEPARTURE:
            return draw_departure(rung, columns, self.style)
        assert crossing.sent_ns is not None and crossing.received_ns is not None
        delay = duration(crossing.received_ns - crossing.sent_ns)
        return draw_arrival(rung, f"+{delay}", columns, self.style)

    def _notes(self, rung: Rung) -> Iterator[str]:
        """What stands below an arrow: first what its label had to leave out."""
        columns = self.wire if rung.segment else self.board.room
        if not fits(rung, columns, self.style):
            yield label_of(rung)
        yield from below(rung, self.beneath)

    def _phase_heading(self, rung: Rung) -> Iterator[Text]:
        phase = self.phase_of.get(rung.crossing.number, self.phase)
        if phase is None or phase is self.phase:
            return
        self.phase = phase
        yield self.board.line(Text())
        yield self.style.heading(phase.value)
        if phase not in self.explained:
            yield Text(f"  {EXPLANATIONS[phase]}", "italic")
            self.explained.add(phase)

    def _aside(self, beat: Beat, text: str, colour: str) -> Text:
        """A line beside a lane, with its time."""
        text = self.style.cut(self.style.drawn(text), self.board.room - 1)
        right = self._is_right(beat)
        indent = self.board.room - len(text) if right else 0
        body = Text(" " * indent + text, colour)
        return self.board.line(body, beat.event.time_ns, beat.is_concurrent)

    def _state_text(self, event: EventId) -> str:
        state = self.timeline.states[event.number - 1].state
        port = _port(state, self.timeline)
        mark = f"{port}: " if port and len(self.timeline.conversations) > 1 else ""
        if state.obtained is Obtained.MEASURED:
            return f"kernel: {mark}{state.old or '?'} → {state.new}"
        return f"kernel: {mark}{state.new}, {state.obtained.value}"

    def _queue_text(self, event: EventId) -> str:
        _, sample, call = self.timeline.queues[event.number - 1]
        label = self.label_of_call[call.id]
        mark = f"{label}: " if label.owner else ""
        return f"kernel: {mark}{left_to_read(sample)}, {Obtained.SAMPLED.value}"

    def _drop_text(self, event: EventId) -> str:
        drop = self.timeline.drops[event.number - 1]
        what = f" ({label_of(self.rung_of[drop.frame])})" if drop.frame in self.rung_of else ""
        return f"✗ dropped by the kernel: {drop.notice.reason}{what}"

    def _remarks(self, event: EventId, on_right: bool) -> list[Text]:
        columns = min(self.board.room - 2, 64)
        texts = [
            line
            for remark in self.remarks.get(event, ())
            for line in self.style.wrap(self.style.drawn(remark), columns)
        ]
        return self.board.block(texts, on_right, "italic yellow")


def _board(drawn: Sequence[Beat], sides: Sides, style: Style) -> lanes.Board:
    """A page with brackets enough for the calls of these beats, whose first one is time 0."""
    left = deepest(drawn, lambda call: call not in sides.calls)
    right = deepest(drawn, lambda call: call in sides.calls)
    zero_ns = drawn[0].event.time_ns if drawn else 0
    gutters = lanes.Gutter(left, mirrored=False), lanes.Gutter(right, mirrored=True)
    return lanes.Board(style, *gutters, zero_ns)


def _port(state: SocketState, timeline: Timeline) -> int:
    """The port that tells the connection: its client's; 0 where it has none yet."""
    clients = {conversation.flow.a.port for conversation in timeline.conversations}
    return state.remote_port if state.remote_port in clients else state.local_port
