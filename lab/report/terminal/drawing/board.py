"""The page of a ladder: a gutter for each lane, with a bracket for every call that is open.

0.011 ┌ connect(3, 198.51.100.2:4242, 16)                             │
0.027 │ SYN-SENT     ─SYN seq=0 win=42340────────────────▶       LISTEN │
0.060 └ connect = 0  0.049 ms                                         │
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Span, Text

from lab.frozen import frozen
from lab.model.event import EventId
from lab.report.terminal.drawing.style import Style

TIME_COLUMNS = 9
MOST_BRACKETS = 3
COUNT_COLUMNS = 3  # "+99"
FEWEST_COLUMNS = 9
"""Between two lanes. A page that is too narrow for that gets wider."""

OPENING, CLOSING, MOMENTARY, THROUGH = range(4)
LEFT_SHAPES = "┌└╶│"
RIGHT_SHAPES = "┐┘╴│"
LIFELINE = "┊"

Styled = tuple[str, str]
"""Some text, safe to show, and its style."""


def elapsed(time_ns: int, zero_ns: int) -> str:
    """Milliseconds since `zero_ns`, as precise as they fit into TIME_COLUMNS."""
    elapsed_ms = (time_ns - zero_ns) / 1e6
    shown = f"{elapsed_ms:.3f}"
    if len(shown) > TIME_COLUMNS:
        shorter = (f"{elapsed_ms:.0f}", f"{elapsed_ms:.1e}")
        shown = next(each for each in shorter if len(each) <= TIME_COLUMNS)
    return shown


def line_of(pieces: Sequence[Styled]) -> Text:
    """One line of text."""
    spans: list[Span] = []
    texts: list[str] = []
    place = 0
    for text, style in pieces:
        texts.append(text)
        end = place + len(text)
        if style and text:
            spans.append(Span(place, end, style))
        place = end
    return Text("".join(texts), spans=spans)


def width_of(pieces: Sequence[Styled]) -> int:
    """The columns that the pieces take."""
    return sum([len(text) if text.isascii() else cell_len(text) for text, _ in pieces])


class Gutter:
    """The brackets of one lane, in the order of their columns; of the last lane from the edge.

    A call keeps its column until it closes. Where more than MOST_BRACKETS are open, the
    others are counted.
    """

    def __init__(
        self, deepest: int, mirrored: bool, *, is_inner: bool = False, has_line: bool = False
    ) -> None:
        """`deepest` is how many calls will be open at once; 0 is a lane without any.

        `has_line` shows where the lane is while no call is open; an inner lane has a space on
        both sides.
        """
        self.mirrored = mirrored
        columns = max(min(deepest, MOST_BRACKETS), int(has_line))
        self._columns: list[EventId | None] = [None] * columns
        self._others: set[EventId] = set()
        self._counts = deepest > MOST_BRACKETS
        self._before = " " if is_inner else ""
        self._line = LIFELINE if has_line else " "

    @property
    def width(self) -> int:
        """Columns, with a space towards the text."""
        if not self._columns:
            return len(self._before)
        own = len(self._columns) + self._counts * COUNT_COLUMNS + 1
        return len(self._before) + own

    @property
    def is_open(self) -> bool:
        """Whether a call is open."""
        return any(self._columns) or bool(self._others)

    def draw(self, call: EventId | None = None, kind: int = THROUGH) -> str:
        """The brackets on one line; on a line of `call`'s own, its bracket as `kind` says.

        A call takes its column with OPENING and leaves it with CLOSING.
        """
        if not self._columns:
            return self._before
        if call is not None and kind in (OPENING, MOMENTARY):
            self._enter(call)
        shapes = self._before + self._shapes(call, kind)
        if call is not None and kind in (CLOSING, MOMENTARY):
            self._leave(call)
        return shapes[::-1] if self.mirrored else shapes

    def pass_over(self, call: EventId, kind: int) -> None:
        """Open or close a call's bracket where no line shows it."""
        if kind is OPENING:
            self._enter(call)
        else:
            self._leave(call)

    def _enter(self, call: EventId) -> None:
        if None in self._columns:
            self._columns[self._columns.index(None)] = call
        else:
            self._others.add(call)

    def _leave(self, call: EventId) -> None:
        if call in self._columns:
            self._columns[self._columns.index(call)] = None
        self._others.discard(call)

    def _shapes(self, call: EventId | None, kind: int) -> str:
        """As seen from the lane's own side."""
        shape = (RIGHT_SHAPES if self.mirrored else LEFT_SHAPES)[kind]
        through = ["│" if each else " " for each in self._columns]
        if not any(self._columns):
            through[0] = self._line
        if kind is not THROUGH and call in self._columns:
            own = self._columns.index(call)
            through[own] = shape
            # The line from the bracket to its text crosses those of the calls between.
            for column in range(own + 1, len(through)):
                through[column] = "┼" if self._columns[column] else "─"
        text = "".join(through)
        if self._counts:
            text += self._count()
        if kind is not THROUGH and call in self._others:
            return text[: self.width - len(self._before) - 2] + shape + " "
        return text + " "

    def _count(self) -> str:
        count = f"+{len(self._others)}" if self._others else ""
        shown = count[::-1] if self.mirrored else count
        return f"{shown:{'>' if self.mirrored else '<'}{COUNT_COLUMNS}}"


@frozen
class Stamp:
    """What stands in front of a line and in one of its gutters."""

    time_ns: int | None = None
    is_concurrent: bool = False
    lane: int = 0
    call: EventId | None = None
    kind: int = THROUGH


PLAIN = Stamp()
"""A line without a time of its own."""


class Board:
    """A ladder's lines: fields between gutters, with their time in front.

    Field N is between the gutters of lanes N and N + 1. A lane's own field is the one behind
    its gutter; the last lane's is the one before it.
    """

    def __init__(self, style: Style, gutters: Sequence[Gutter], zero_ns: int) -> None:
        self.style = style
        self.gutters = gutters
        self.zero_ns = zero_ns
        count = max(1, len(gutters) - 1)
        room = style.width - TIME_COLUMNS - 1 - sum(gutter.width for gutter in gutters)
        base, more = divmod(max(room, FEWEST_COLUMNS * count), count)
        self.fields = [base + (number < more) for number in range(count)]

    def columns(self, first: int, last: int) -> int:
        """How wide the fields from `first` to `last` are, with the gutters between them."""
        if first == last:
            return self.fields[first]
        between = self.gutters[first + 1 : last + 1]
        return sum(self.fields[first : last + 1]) + sum(gutter.width for gutter in between)

    def stands_right(self, lane: int) -> bool:
        """Whether the lane's texts stand before its gutter, ending there."""
        return lane > 0 and lane == len(self.gutters) - 1

    def own_field(self, lane: int) -> int:
        """The field beside the lane."""
        return min(lane, len(self.fields) - 1)

    def free_fields(self, lane: int, wanted: int) -> tuple[int, int]:
        """The lane's field, with as many of those beyond it as `wanted` columns need.

        Where a call is open in the next lane nothing stands over its bracket.
        """
        first = last = self.own_field(lane)
        if self.stands_right(lane):
            while first and self.columns(first, last) < wanted and not self.gutters[first].is_open:
                first -= 1
            return first, last
        most = len(self.fields) - 1
        while (
            last < most
            and self.columns(first, last) < wanted
            and not self.gutters[last + 1].is_open
        ):
            last += 1
        return first, last

    def line(
        self, pieces: Sequence[Styled] = (), fields: tuple[int, int] = (0, 0), stamp: Stamp = PLAIN
    ) -> Text:
        """A line whose pieces begin in the first of these fields and end within the last."""
        first, last = fields
        shown: list[Styled] = [(f"{self._time(stamp)} ", "dim")]
        for number, gutter in enumerate(self.gutters):
            if not first < number <= last:
                if stamp.kind is not THROUGH and number == stamp.lane:
                    brackets = gutter.draw(stamp.call, stamp.kind)
                else:
                    brackets = gutter.draw()
                if brackets:
                    shown.append((self.style.drawn(brackets), "blue"))
            if number == first:
                shown += pieces
                shown.append((" " * (self.columns(first, last) - width_of(pieces)), ""))
            elif number < len(self.fields) and not first <= number <= last:
                shown.append((" " * self.fields[number], ""))
        return line_of(shown)

    def texts(
        self, texts: Sequence[str], lane: int, colour: str, stamp: Stamp = PLAIN, indent: int = 0
    ) -> list[Text]:
        """Lines of text in a lane's own place under each other; the first has the stamp."""
        widest = max((width_of([(text, "")]) for text in texts), default=0) + indent
        lines: list[Text] = []
        for text in texts:
            fields = self.free_fields(lane, widest)
            room = self.columns(*fields)
            before = room - widest if self.stands_right(lane) else indent
            lines.append(self.line([(" " * before + text, colour)], fields, stamp))
            stamp = PLAIN
        return lines

    def crossed(self, arrow: str, first: int, last: int) -> str:
        """An arrow over these fields, with the brackets that it crosses."""
        if first == last:
            return arrow
        shaft, place = self.style.line, 0
        characters = list(arrow)
        for number in range(first + 1, last + 1):
            place += self.fields[number - 1]
            for at, shape in enumerate(self.gutters[number].draw(), place):
                if shape == "│" and characters[at] == shaft:
                    characters[at] = self.style.drawn("┼")
            place += self.gutters[number].width
        return "".join(characters)

    def _time(self, stamp: Stamp) -> str:
        if stamp.time_ns is None:
            return " " * TIME_COLUMNS
        shown = elapsed(stamp.time_ns, self.zero_ns)
        if stamp.is_concurrent:
            # A time that fills its columns gives up its last digit for the sign.
            shown = self.style.drawn("∥") + shown[: TIME_COLUMNS - 1]
        return shown.rjust(TIME_COLUMNS)
