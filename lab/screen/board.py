"""The three panes, the line above them and the three below."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Static

from lab.stepping.keys import HandState
from lab.stepping.panes import (
    LEAST_COLUMNS,
    LEAST_ROWS,
    Line,
    Look,
    bottom_lines,
    head_line,
    host_lines,
    widths,
    wire_lines,
)
from lab.stepping.scene import StepScene

BOTTOM_ROWS = 3
_PANES = 5
# By name alone: a terminal's own colours can be read on its own background, light or dark.
STYLES: dict[Look, str] = {
    "": "",
    "title": "bold",
    "lit": "bold green",
    "dim": "dim",
    "warn": "yellow",
    "selected": "bold reverse",
}


class StepBoard(Screen[None]):
    """What is shown of one moment."""

    CSS = """
    StepBoard { layout: vertical; background: ansi_default; }
    StepBoard Static { background: ansi_default; color: ansi_default; }
    #head { height: 1; }
    #panes { height: 1fr; }
    #left, #right { height: 100%; }
    #wire { height: 100%; border-left: ascii; border-right: ascii; }
    #bottom { height: 3; }
    """

    def compose(self) -> ComposeResult:
        """The panes, empty."""
        yield Static(id="head")
        with Horizontal(id="panes"):
            yield Static(id="left")
            yield Static(id="wire")
            yield Static(id="right")
        yield Static(id="bottom")

    def show(self, scene: StepScene, hand: HandState, keys: str, note: str) -> None:
        """Show that moment, as large as the terminal is now; nothing before and after its time."""
        if len(self.query(Static)) < _PANES:
            return
        columns, rows = self.size.width, self.size.height
        if columns < LEAST_COLUMNS or rows < LEAST_ROWS:
            note = f"{LEAST_COLUMNS}x{LEAST_ROWS} would show more. {note}"
        pane = widths(columns)
        inside = max(rows - 1 - BOTTOM_ROWS, 1)
        self._fill("head", [head_line(scene, columns)])
        for name, width, lines in (
            ("left", pane.left, host_lines(scene.left, pane.left, inside)),
            ("wire", pane.wire + 2, wire_lines(scene, hand, pane.wire, inside)),
            ("right", pane.right, host_lines(scene.right, pane.right, inside)),
        ):
            self._fill(name, lines)
            self.query_one(f"#{name}").styles.width = width
        self._fill("bottom", bottom_lines(scene, hand, columns, keys, note))

    def _fill(self, name: str, lines: Iterable[Line]) -> None:
        text = Text("\n").join(Text(line.text, STYLES[line.look]) for line in lines)
        text.no_wrap = True
        self.query_one(f"#{name}", Static).update(text)
