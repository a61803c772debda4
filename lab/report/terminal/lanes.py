"""The page of a ladder with system calls: at each edge a bracket for every call that is open.

0.011 ┌ connect(3, 198.51.100.2:4242, 16)                             │
0.027 │ SYN-SENT     ─SYN seq=0 win=42340────────────────▶       LISTEN │
0.060 └ connect = 0  0.049 ms                                         │
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from lab.model.event import EventId
from lab.report.terminal.ladder import TIME_COLUMNS, elapsed
from lab.report.terminal.style import Style

MOST_BRACKETS = 3
COUNT_COLUMNS = 3  # "+99"

OPENING, CLOSING, MOMENTARY, THROUGH = range(4)
LEFT_SHAPES = "┌└╶│"
RIGHT_SHAPES = "┐┘╴│"


class Gutter:
    """The brackets of one side, outermost column first.

    A call keeps its column until it closes. Where more than MOST_BRACKETS are open, the
    others are counted.
    """

    def __init__(self, deepest: int, mirrored: bool) -> None:
        """`deepest` is how many calls will be open at once; 0 is a side without any."""
        self.mirrored = mirrored
        self._columns: list[EventId | None] = [None] * min(deepest, MOST_BRACKETS)
        self._others: set[EventId] = set()
        self._counts = deepest > MOST_BRACKETS

    @property
    def width(self) -> int:
        """Columns, with a space towards the page's middle."""
        return len(self._columns) + self._counts * COUNT_COLUMNS + 1 if self._columns else 0

    def draw(self, call: EventId | None = None, kind: int = THROUGH) -> str:
        """The brackets on one line; on a line of `call`'s own, its bracket as `kind` says.

        A call takes its column with OPENING and leaves it with CLOSING.
        """
        if not self._columns:
            return ""
        if call is not None and kind in (OPENING, MOMENTARY):
            self._enter(call)
        shapes = self._shapes(call, kind)
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
        """As seen from the edge."""
        shape = (RIGHT_SHAPES if self.mirrored else LEFT_SHAPES)[kind]
        through = ["│" if each else " " for each in self._columns]
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
            return text[: self.width - 2] + shape + " "
        return text + " "

    def _count(self) -> str:
        count = f"+{len(self._others)}" if self._others else ""
        shown = count[::-1] if self.mirrored else count
        return f"{shown:{'>' if self.mirrored else '<'}{COUNT_COLUMNS}}"


class Board:
    """A ladder's lines: between two gutters, with their time in front."""

    def __init__(self, style: Style, left: Gutter, right: Gutter, zero_ns: int) -> None:
        self.style = style
        self.left = left
        self.right = right
        self.zero_ns = zero_ns

    @property
    def room(self) -> int:
        """Columns between the gutters."""
        return self.style.width - TIME_COLUMNS - 1 - self.left.width - self.right.width

    def line(self, body: Text, time_ns: int | None = None, is_concurrent: bool = False) -> Text:
        """A line between the brackets that are open."""
        return self._compose(self._time(time_ns, is_concurrent), self.left.draw(), body, None)

    def call_line(
        self,
        body: Text,
        call: EventId,
        kind: int,
        on_right: bool,
        time_ns: int | None,
        is_concurrent: bool,
    ) -> Text:
        """A line that a call's bracket begins, or on the right side ends."""
        time = self._time(time_ns, is_concurrent)
        if not on_right:
            return self._compose(time, self.left.draw(call, kind), body, None)
        body = Text(" " * (self.room - body.cell_len)) + body
        return self._compose(time, self.left.draw(), body, self.right.draw(call, kind))

    def pass_over(self, call: EventId, kind: int, on_right: bool) -> None:
        """Open or close a call's bracket without a line, as OPENING or CLOSING says."""
        (self.right if on_right else self.left).pass_over(call, kind)

    def block(self, texts: Sequence[str], on_right: bool, colour: str) -> list[Text]:
        """Lines of text at one side, without a time, under each other."""
        widest = max(map(cell_len, texts), default=0)
        indent = self.room - widest - 1 if on_right else 1
        return [self.line(Text(" " * indent + text, colour)) for text in texts]

    def _time(self, time_ns: int | None, is_concurrent: bool) -> str:
        if time_ns is None:
            return " " * TIME_COLUMNS
        shown = elapsed(time_ns, self.zero_ns)
        if is_concurrent:
            # A time that fills its columns gives up its last digit for the sign.
            shown = self.style.drawn("∥") + shown[: TIME_COLUMNS - 1]
        return shown.rjust(TIME_COLUMNS)

    def _compose(self, time: str, left: str, body: Text, right: str | None) -> Text:
        line = Text(f"{time} ", "dim")
        line.append(self.style.drawn(left), "blue")
        line.append_text(body)
        line.append(" " * (self.room - body.cell_len))
        line.append(self.style.drawn(self.right.draw() if right is None else right), "blue")
        return line
