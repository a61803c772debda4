"""A sweep's summary as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from lab.model.table import Table
from lab.report.sweeps.wording import in_units, word_of
from lab.report.terminal.tables import draw_table
from lab.sweep.summary import Combination, SweepSummary

if TYPE_CHECKING:
    from lab.report.terminal.drawing.style import Style
    from lab.sweep.median import MedianInterval

SHOWN = ("lasted_s", "retransmissions", "goodput_bps")
MOST_LINES = 60


def draw_sweep(summary: SweepSummary, style: Style) -> Iterator[Text]:
    """A line for each combination of values, with three medians and their intervals."""
    names = list(summary.varied) or ["scenario"]
    there = [name for name in SHOWN if any(name in c.medians for c in summary.combinations)]
    head = (*names, "runs", "hold", *map(word_of, there))
    rows = [_row(each, names, there) for each in summary.combinations[:MOST_LINES]]
    notes = ["medians, in brackets 95 % intervals by order statistics (6 runs at least)"]
    if (more := len(summary.combinations) - MOST_LINES) > 0:
        notes.append(f"{more} more are in summary.csv")
    yield from draw_table(Table(head, tuple(rows), tuple(notes)), style)


def _row(each: Combination, names: list[str], there: list[str]) -> tuple[str, ...]:
    runs = f"{each.runs - each.not_made} of {each.runs}" if each.not_made else str(each.runs)
    medians = (_cell(each.medians.get(name), name) for name in there)
    return (*(str(each.values[n]) for n in names), runs, str(each.outcomes["HOLDS"]), *medians)


def _cell(median: MedianInterval | None, name: str) -> str:
    if median is None:
        return ""
    shown = f"{in_units(name, median.median):.4g}"
    if median.low is None or median.high is None:
        return shown
    return f"{shown} [{in_units(name, median.low):.3g} {in_units(name, median.high):.3g}]"
