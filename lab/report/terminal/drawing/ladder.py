"""A ladder drawn for a terminal: time, and between the lanes what went from one to the other.

0.041 SYN-SENT     ──SYN seq=0 win=64240──────────────────────▶       LISTEN
0.050 SYN-SENT     ◀──────────SYN ACK seq=0 ack=1 win=65160──── SYN-RECEIVED
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, zip_longest

from rich.text import Text

from lab.analysis.calls.call_text import SHOWN_NS, duration
from lab.ladder.model import (
    CallRow,
    DropRow,
    ElisionRow,
    FrameRow,
    Ladder,
    Lane,
    NoteRow,
    Part,
    PhaseRow,
    QueueRow,
    Row,
    StateRow,
    StrikeRow,
    TransferRow,
)
from lab.report.terminal.drawing.arrows import (
    below,
    colour_of,
    draw_arrow,
    draw_transfer,
    fits,
    rest_of,
    with_more_on_it,
)
from lab.report.terminal.drawing.board import (
    CLOSING,
    MOMENTARY,
    OPENING,
    TIME_COLUMNS,
    Board,
    Gutter,
    Stamp,
    Styled,
    width_of,
)
from lab.report.terminal.drawing.style import Style

STATE_COLUMNS = 12
NOTE_COLUMNS = 64
"""The most: a longer line of prose is hard to read."""
CALL_LINES = 3
"""The most that a call takes in a narrow lane."""
BRACKETS = {Part.START: OPENING, Part.END: CLOSING, Part.WHOLE: MOMENTARY}


def draw_ladder(ladder: Ladder, style: Style, legend: Iterable[Text] = ()) -> Iterator[Text]:
    """The ladder's lines: the lanes' names, the legend, and the rows.

    A phase has a heading, which explains it the first time.
    """
    if not ladder.rows:
        return
    drawing = _Drawing(ladder, style)
    yield from drawing.heads()
    yield from legend
    for rows in drawing.together(ladder.rows):
        yield from drawing.row(*rows)
    for violation in ladder.violations:
        for line in style.wrap(f"ORDER VIOLATED: {violation}", style.width - 2):
            yield Text(f"  {line}", "bold red")


def depth_of(ladder: Ladder, lane: int) -> int:
    """How many calls of a lane at most need a bracket on one line."""
    open_calls = most = 0
    for row in ladder.every_row():
        if isinstance(row, FrameRow):
            open_calls -= row.closes is not None and row.closes.lane == lane
        elif isinstance(row, CallRow) and row.lane == lane:
            if row.part is not Part.END:
                most = max(most, open_calls + 1)
            open_calls += (row.part is Part.START) - (row.part is Part.END)
    return most


class _Drawing:
    """One ladder while it is being drawn."""

    def __init__(self, ladder: Ladder, style: Style) -> None:
        self.ladder = ladder
        self.style = style
        self.is_narrow = len(ladder.lanes) > 2
        self.board = Board(style, list(self._gutters()), ladder.zero_ns)
        has_segments = any(isinstance(r, FrameRow) and r.is_segment for r in ladder.every_row())
        self.has_calls = ladder.has_calls
        has_states = not self.is_narrow and (has_segments or not self.has_calls)
        self.states = STATE_COLUMNS + 1 if has_states else 0
        self.shown_states: dict[tuple[int, int, str, int], str] = {}
        """The last ones of each connection's ends, where they have lines of their own."""

    def _gutters(self) -> Iterator[Gutter]:
        last = len(self.ladder.lanes) - 1
        for lane in range(last + 1):
            yield Gutter(
                depth_of(self.ladder, lane),
                mirrored=lane == last > 0,
                is_inner=0 < lane < last,
                has_line=self.is_narrow,
            )

    def heads(self) -> Iterator[Text]:
        """The lanes' names; two on one line, or on two lines if one is too short."""
        if self.is_narrow:
            yield from self._many_heads()
            return
        room = self.style.width - TIME_COLUMNS - 1
        left, *others = (self.style.cut(_name_of(lane), room) for lane in self.ladder.lanes)
        head = Text(f"{'ms':>{TIME_COLUMNS}} ", "dim")
        head.append(left, "bold")
        for right in others:
            gap = room - width_of([(left, "")]) - width_of([(right, "")])
            if gap < 1:
                yield head
                head, gap = Text(" " * (TIME_COLUMNS + 1)), room - width_of([(right, "")])
            head.append(" " * gap)
            head.append(right, "bold")
        yield head

    def _many_heads(self) -> Iterator[Text]:
        """Each name begins where its lane is; the last ends there. Addresses stand below."""
        board, lanes = self.board, self.ladder.lanes
        places = [sum(g.width for g in board.gutters[:n]) + sum(board.fields[:n])
                  for n in range(len(lanes))]  # fmt: skip
        places = [place + (0 < n < len(lanes) - 1) for n, place in enumerate(places)]
        end = places[-1] + board.gutters[-1].width
        rooms = [after - place - 1 for place, after in pairwise(places)]
        rooms[-1] = rooms[-1] // 2
        heads = [
            [
                piece
                for text in (lane.name, *lane.addresses)
                for piece in self.style.wrap(text, room)
            ]
            for lane, room in zip(lanes, [*rooms, rooms[-1]], strict=True)
        ]
        for number, texts in enumerate(zip_longest(*heads, fillvalue="")):
            line, colour = "", "" if number else "bold"
            for place, text in zip(places[:-1], texts[:-1], strict=True):
                line = line.ljust(place) + text
            line += texts[-1].rjust(end - len(line))
            front = f"{'' if number else 'ms':>{TIME_COLUMNS}} "
            text_line = Text(front, "dim")
            text_line.append(line, colour)
            yield text_line

    def together(self, rows: Sequence[Row]) -> Iterator[list[Row]]:
        """The rows, each by itself; in a brief ladder whole calls that fit on one line together."""
        line: list[Row] = []
        for row in rows:
            if line and not (self.ladder.is_brief and self._fit([*line, row])):
                yield line
                line = []
            line.append(row)
        if line:
            yield line

    def _fit(self, rows: Sequence[Row]) -> bool:
        calls = [row for row in rows if isinstance(row, CallRow) and row.part is Part.WHOLE]
        if len(calls) < len(rows) or len({row.lane for row in calls}) > 1:
            return False
        if self.is_narrow or any(row.is_fault for row in calls):
            return False
        room = self.board.columns(*self.board.free_fields(calls[0].lane, self.style.width))
        return sum(len(self._whole_text(row)) + 2 for row in calls) - 2 <= room

    def _whole_text(self, row: CallRow) -> str:
        """All of a whole call: "#3 bind(3, 198.51.100.2:4242, 16) = 0"."""
        mark = f"{row.connection}: " if row.connection else ""
        return self.style.safe(f"{row.label} {mark}{row.text} = {row.result}")

    def row(self, row: Row, *others: Row) -> Iterator[Text]:
        """The lines of one row, or the line of several calls."""
        match row:
            case CallRow() if others:
                calls = [each for each in (row, *others) if isinstance(each, CallRow)]
                text = ", ".join(map(self._whole_text, calls))
                stamp = Stamp(row.time_ns, row.is_concurrent, row.lane, row.event, MOMENTARY)
                fields = self.board.free_fields(row.lane, len(text))
                room = self.board.columns(*fields)
                yield self.board.line(self._at_lane([(text, "")], row.lane, room), fields, stamp)
            case CallRow():
                yield from self._call(row)
            case FrameRow():
                yield from self._frame(row)
            case StateRow():
                yield from self._aside(row, row.text, "dim cyan")
            case QueueRow():
                yield from self._aside(row, row.text, "dim")
            case DropRow():
                yield from self._aside(row, f"✗ {row.text}", "bold red")
            case StrikeRow():
                mark = f"{self.style.lost} " if row.is_end else ""
                yield from self._aside(row, mark + row.text, "bold red")
            case PhaseRow():
                yield from self._phase(row)
            case NoteRow():
                yield from self._note(row)
            case TransferRow():
                yield self._transfer(row)
            case ElisionRow():
                yield from self._elision(row)

    def _phase(self, row: PhaseRow) -> Iterator[Text]:
        """A heading, explained below it; in a brief ladder on its own line, if there is room."""
        if self.ladder.is_brief:
            title = f"{row.phase.value}: {row.explanation}"
            fits = row.explanation and len(title) <= self.style.width - 6
            yield self.style.heading(title if fits else row.phase.value)
            return
        above = self.board.line()
        yield Text() if above.plain.isspace() else above
        yield self.style.heading(row.phase.value)
        for line in (
            self.style.wrap(row.explanation, self.style.width - 2) if row.explanation else ()
        ):
            yield Text(f"  {line}", "italic")

    def _call(self, row: CallRow) -> Iterator[Text]:
        """A call's lines; where it is too long, its middle is cut and its end kept."""
        stamp = Stamp(row.time_ns, row.is_concurrent, row.lane, row.event, BRACKETS[row.part])
        mark = f"{row.connection}: " if row.connection else ""
        head, ending, result, took = f"{row.label} {mark}{row.text}", "", "", ""
        colour = "bold yellow" if row.is_unfinished else "red" if row.is_fault else ""
        if row.result and row.part is not Part.END:
            head, ending, result = head[:-1], ")", f" = {self.style.safe(row.result)}"
        if row.duration_ns is not None and (row.part is Part.END or row.duration_ns >= SHOWN_NS):
            took = f"  {duration(row.duration_ns)}"
        board = self.board
        tail = len(ending + result + took)
        fields = board.free_fields(row.lane, len(head) + tail)
        room = board.columns(*fields)
        if self.is_narrow:
            text = self.style.cut(head, CALL_LINES * (room - 4) - tail) + ending
            texts = self._with_tail(self.style.wrap(text, room, "    "), (result, took), room)
            yield from board.texts(texts, row.lane, colour, stamp)
            return
        text = self.style.cut(head, room - tail) + ending + result + took
        yield board.line(self._at_lane([(text, colour)], row.lane, room), fields, stamp)

    def _with_tail(self, texts: list[str], tail: Sequence[str], room: int) -> list[str]:
        """The lines of a call with what it returned and how long it took, neither cut in two."""
        for more in tail:
            if width_of([(texts[-1] + more, "")]) <= room:
                texts[-1] += more
            else:
                texts.append(f"   {more}")
        return texts

    def _wrapped(
        self, text: str, lane: int, colour: str, stamp: Stamp, room: int, indent: str = ""
    ) -> list[Text]:
        """A text in its lane's place, on as many lines as it takes."""
        return self.board.texts(self.style.wrap(text, room, indent), lane, colour, stamp)

    def _at_lane(self, pieces: list[Styled], lane: int, room: int) -> list[Styled]:
        """The pieces, before the last lane's gutter where they are that lane's."""
        if not self.board.stands_right(lane):
            return pieces
        return [(" " * (room - width_of(pieces)), ""), *pieces]

    def _aside(
        self, row: StateRow | QueueRow | DropRow | StrikeRow, text: str, colour: str
    ) -> Iterator[Text]:
        """A text beside its lane, with its time."""
        stamp = Stamp(row.time_ns, row.is_concurrent)
        text = self.style.drawn(text)
        fields = self.board.free_fields(row.lane, len(text) + 1)
        room = self.board.columns(*fields) - 1
        if self.is_narrow:
            yield from self._wrapped(text, row.lane, colour, stamp, room, indent="  ")
            return
        pieces = [(self.style.cut(text, room), colour)]
        yield self.board.line(self._at_lane(pieces, row.lane, room + 1), fields, stamp)

    def _note(self, row: NoteRow) -> list[Text]:
        fields = self.board.free_fields(row.lane, NOTE_COLUMNS + 2)
        room = min(self.board.columns(*fields) - 2, NOTE_COLUMNS)
        texts = self.style.wrap(self.style.drawn(row.text), room)
        return self._block(texts, row.lane, "italic yellow")

    def _elision(self, row: ElisionRow) -> list[Text]:
        """The line that stands for rows, after which what they left open is open."""
        for each in row.rows:
            if isinstance(each, CallRow) and each.part is not Part.WHOLE:
                self.board.gutters[each.lane].pass_over(each.event, BRACKETS[each.part])
        lane = row.lane or 0
        fields = self.board.free_fields(lane, len(row.text) + 2)
        texts = self.style.wrap(row.text, self.board.columns(*fields) - 2)
        return self._block(texts, lane, "bold yellow")

    def _block(self, texts: Sequence[str], lane: int, colour: str) -> list[Text]:
        """Lines without a time, under each other, a column away from their lane."""
        if self.board.stands_right(lane):
            widest = max(width_of([(text, "")]) for text in texts)
            texts = [text + " " * (widest + 1 - width_of([(text, "")])) for text in texts]
            return self.board.texts(texts, lane, colour)
        return self.board.texts(texts, lane, colour, indent=1)

    def _transfer(self, row: TransferRow) -> Text:
        if row.source == row.target:
            shown = draw_transfer(row, 0, self.style)
            fields = self.board.free_fields(row.target, len(shown))
            room = self.board.columns(*fields)
            return self.board.line(self._at_lane([(shown, "bold")], row.target, room), fields)
        fields = _between(row.source, row.target)
        shown = draw_transfer(row, self.board.columns(*fields), self.style)
        return self.board.line([(shown, "bold")], fields)

    def _frame(self, row: FrameRow) -> Iterator[Text]:
        if row.source == row.target:
            yield from self._frame_within(row)
            return
        fields = first, last = _between(row.source, row.target)
        stamp = _stamp_of(row)
        room = self.board.columns(first, last)
        # Without calls all arrows are as long; with them those without states need no place.
        has_place = self.states and (row.is_segment or not self.has_calls)
        arrow_room = room - 2 * self.states if has_place else room
        row = with_more_on_it(row, arrow_room, self.style) if self.ladder.is_brief else row
        arrow = self.board.crossed(draw_arrow(row, arrow_room, self.style), first, last)
        pieces: list[Styled] = [(arrow, colour_of(row))]
        left, right = self._states(row)
        if has_place:
            pieces.insert(0, (f"{left:<{STATE_COLUMNS}} ", "dim italic"))
            pieces.append((f" {right:>{STATE_COLUMNS}}", "dim italic"))
        yield self.board.line(pieces, fields, stamp)
        if self.is_narrow and row.is_segment:
            yield from self._changed_states(row, left, right)
        if row.part is not Part.START:
            yield from self._below(row, fields, arrow_room, room - self.states - 2)

    def _frame_within(self, row: FrameRow) -> Iterator[Text]:
        """A frame that never leaves its lane's host: on its lo."""
        stamp = _stamp_of(row)
        line, label = self.style.line, self.style.safe(row.label)
        end = self.style.lost if row.is_lost else self.style.right
        arrow = (
            f"{line}{label}{line}{end}"
            if row.is_forward
            else (f"{self.style.lost if row.is_lost else self.style.left}{line}{label}{line}")
        )
        fields = self.board.free_fields(row.source, len(arrow) + 5)
        room = self.board.columns(*fields)
        yield from self._wrapped(
            f"{arrow} (lo)", row.source, colour_of(row), stamp, room, indent="  "
        )
        if row.part is not Part.START:
            for text in below(row, room - 2):
                yield from self._block(self.style.wrap(text, room - 2), row.source, "dim")

    def _states(self, row: FrameRow) -> tuple[str, str]:
        """The states of the left and the right end, as far as this part of the frame shows them."""
        differs = self.style.drawn(" ≠")
        source = row.sender_state + differs * row.sender_differs
        target = row.receiver_state + differs * row.receiver_differs
        source = "" if row.part is Part.END else source
        target = "" if row.part is Part.START else target
        return (source, target) if row.is_forward else (target, source)

    def _changed_states(self, row: FrameRow, left: str, right: str) -> Iterator[Text]:
        """In narrow lanes states have a line of their own, where they change."""
        lanes = min(row.source, row.target), max(row.source, row.target)
        changed: list[str] = []
        for lane, state in zip(lanes, (left, right), strict=True):
            key = (*lanes, row.connection, lane)
            changed.append("" if self.shown_states.get(key, "") == state else state)
            self.shown_states[key] = state or self.shown_states.get(key, "")
        if any(changed):
            fields = lanes[0], lanes[1] - 1
            room = self.board.columns(*fields)
            first, second = changed
            if len(first) + len(second) < room:
                texts = [f"{first}{second:>{room - len(first)}}"]
            else:
                # One below the other.
                texts = [first] * bool(first) + [f"{second:>{room}}"] * bool(second)
            for text in texts:
                yield self.board.line([(self.style.cut(text, room), "dim italic")], fields)

    def _below(
        self, row: FrameRow, fields: tuple[int, int], arrow_room: int, room: int
    ) -> Iterator[Text]:
        """What stands below an arrow: first what its label had to leave out."""
        notes = list(below(row, room))
        if not fits(row, arrow_room, self.style):
            notes.insert(0, rest_of(row, arrow_room, self.style) if self.is_narrow else row.label)
        for note in notes:
            for line in self.style.wrap(note, room):
                yield self.board.line([(" " * (self.states + 2) + line, "dim")], fields)


def _name_of(lane: Lane) -> str:
    return f"{lane.name} {', '.join(lane.addresses)}" if lane.addresses else lane.name


def _stamp_of(row: FrameRow) -> Stamp:
    """The frame's time, and the bracket of a call that it closes."""
    if row.closes is None:
        return Stamp(row.time_ns, row.is_concurrent)
    return Stamp(row.time_ns, row.is_concurrent, row.closes.lane, row.closes.event, CLOSING)


def _between(one: int, other: int) -> tuple[int, int]:
    """The fields between two lanes."""
    return min(one, other), max(one, other) - 1
