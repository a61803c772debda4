"""A scene's slots and lanes in pixels."""

from __future__ import annotations

import textwrap
from itertools import accumulate

from lab.frozen import frozen
from lab.report.svg.visible import cut, visible
from lab.scene.model import Scene

GUTTER = 84
"""Left of the lanes, for times."""
PAGE = 1000
LANE_MORE = 480
"""How much wider the picture is for each lane beyond two."""
SLOT, LINE = 23, 15
"""Heights of a slot of one line, and of each further line."""
HEAD = 46
"""For the lanes' names."""
COLUMN_WIDTH = 6.95
"""Of a character of the fixed-width font."""
PROSE_WIDTH = 6.1
RIBBON, BRACKET = 9, 8
MOST_RIBBONS = 4
STATE_WIDTH = 98
"""Of the name of a state beside its ribbon, where the kernel said none."""
INSET = 10
"""From a lane's line to its texts."""
CALL_LINES = 2
DURATION_COLUMNS = 11
"""Kept free behind what a call returned."""
MOST_PROSE = 78
"""Characters in a line of prose."""


@frozen
class LaneSide:
    """Where a lane's things stand, in pixels across."""

    edge: float
    """Its line: where arrows begin and end."""
    inward: int
    """From the line to the texts: 1 to the right, -1 to the left. Ribbons are on the other side."""
    ribbons: int
    """Columns of them that are drawn; brackets are beyond them."""
    brackets: int
    columns: int
    """As many characters a line of text has room for."""

    @property
    def outside(self) -> int:
        """How wide its ribbons and brackets are."""
        return self.ribbons * RIBBON + self.brackets * BRACKET

    @property
    def text(self) -> float:
        """Where texts begin, or end."""
        return self.edge + self.inward * INSET

    @property
    def anchor(self) -> str:
        """Which end of a text is there."""
        return "start" if self.inward > 0 else "end"


class Geometry:
    """Where the slots of one scene are, from `top` on."""

    def __init__(self, scene: Scene, top: float) -> None:
        self.scene = scene
        self.width = width_of(len(scene.lanes))
        self.sides = self._sides()
        self.texts: dict[int, list[str]] = {}
        """By slot, the lines of the calls and notes that take more than one."""
        self._fill_texts()
        hidden = {slot for slot, each in enumerate(scene.slots) if each.fold is not None}
        heights = [
            0 if slot in hidden else SLOT + LINE * (len(self.texts.get(slot, "x")) - 1)
            for slot in range(len(scene.slots))
        ]
        self.tops = [top + HEAD, *(top + HEAD + sum_ for sum_ in accumulate(heights))]
        self.hidden = hidden

    @property
    def bottom(self) -> float:
        """Below the last slot."""
        return self.tops[-1] + 10

    def middle(self, slot: int) -> float:
        """A slot's base line; for a hidden one that of the fold it is in."""
        shown = self.scene.slots[slot].fold if slot in self.hidden else slot
        return self.tops[slot if shown is None else shown] + 15

    def ends(self, source: int, target: int) -> tuple[float, float]:
        """Where an arrow between two lanes begins and ends."""
        return self.sides[source].edge, self.sides[target].edge

    def _sides(self) -> list[LaneSide]:
        scene = self.scene
        ribbons, brackets = [0] * len(scene.lanes), [0] * len(scene.lanes)
        states = [0] * len(scene.lanes)
        for ribbon in scene.ribbons:
            column = min(ribbon.column + 1, MOST_RIBBONS)
            ribbons[ribbon.lane] = max(ribbons[ribbon.lane], column)
            if not ribbon.is_measured:
                states[ribbon.lane] = STATE_WIDTH
        for call in scene.calls:
            brackets[call.lane] = max(brackets[call.lane], call.column + 1)
        outside = [
            8 + RIBBON * r + BRACKET * b + state
            for r, b, state in zip(ribbons, brackets, states, strict=True)
        ]
        if not outside:
            return []
        first = GUTTER + outside[0]
        last = self.width - 12 - (outside[-1] if len(outside) > 1 else 0)
        edges = [first + place.share * (last - first) for place in scene.places]
        gap = (last - first) / max(len(edges) - 1, 1)
        return [
            LaneSide(
                edge,
                place.inward,
                ribbons[lane],
                brackets[lane],
                int(
                    (gap - 2 * INSET - (outside[lane] if 0 < lane < len(edges) - 1 else 0))
                    / COLUMN_WIDTH
                ),
            )
            for lane, (edge, place) in enumerate(zip(edges, scene.places, strict=True))
        ]

    def _fill_texts(self) -> None:
        for call in self.scene.calls:
            columns = self.sides[call.lane].columns
            if call.start == call.end or call.is_told_first:
                self.texts[call.start] = _lines(call.label, call.text, call.outcome, columns)
                continue
            self.texts[call.start] = _lines(call.label, call.text, "", columns)
            if call.outcome:
                room = columns - DURATION_COLUMNS
                self.texts[call.end] = _lines(call.label, call.outcome, "", room)
        for note in self.scene.notes:
            wide = self.sides[note.lane].columns * COLUMN_WIDTH / PROSE_WIDTH
            text = visible(note.text)
            self.texts[note.slot] = textwrap.wrap(text, min(int(wide), MOST_PROSE)) or [""]


def width_of(lanes: int) -> int:
    """How wide the picture of a ladder of so many lanes is, in pixels."""
    return PAGE + LANE_MORE * max(0, lanes - 2)


def _lines(label: str, text: str, result: str, columns: int) -> list[str]:
    """A call in the lines that it may take, from its label on; where it is cut its result stays."""
    shown, columns = visible(f"{label} {text}"), max(columns, 24)
    tail = visible(f" = {result}" if text and result else f" {result}" if result else "")
    lines = textwrap.wrap(shown + tail, columns, break_on_hyphens=False) or [""]
    if len(lines) <= CALL_LINES:
        return lines
    tail = cut(tail, columns // 2)
    first, *rest = textwrap.wrap(shown, columns, break_on_hyphens=False)
    return [first, cut(" ".join(rest), columns - len(tail)) + tail]
