"""Tables: what a scenario shows of a run, what kernels counted, the statements decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from lab.analysis.counters import CounterRow, counter_table
from lab.analysis.decisions import Decision
from lab.analysis.sockets.held import held_rows
from lab.model.table import Table
from lab.report.terminal.drawing.style import OUTCOME_COLOURS, Style

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline

GAP = 2
MOST_HOSTS = 8
"""As many have a column of what their kernels counted."""


def draw_table(table: Table, style: Style) -> Iterator[Text]:
    """The head, the rows, and what is to be said of them.

    Cells stand at the right of their column; a table that is too wide loses ends of its cells.
    """
    rows = [[style.safe(style.drawn(cell)) for cell in row] for row in (table.head, *table.rows)]
    first = max(cell_len(row[0]) for row in rows)
    others = [max(cell_len(row[n]) for row in rows) for n in range(1, len(table.head))]
    while first + sum(others) + GAP * len(others) > style.width and max(others, default=0) > 1:
        others[others.index(max(others))] -= 1
    for number, (name, *cells) in enumerate(rows):
        line = Text(f"{name:<{first}}", "bold" if number else "bold blue")
        for cell, room in zip(cells, others, strict=True):
            shown = style.cut(cell, room)
            line.append(" " * (GAP + room - cell_len(shown)) + shown, "" if number else "bold blue")
        yield line
    for note in table.notes:
        for piece in style.wrap(note, style.width - 2, "  "):
            yield Text(f"  {piece}", "dim")


def draw_counters(timeline: Timeline, style: Style) -> Iterator[Text]:
    """A line for each counter that changed: by how much on each host, and what it means.

    Of those that no table explains the names and changes alone.
    """
    table = counter_table(timeline.recording.counters, timeline.step)
    if not table.rows:
        return
    hosts = [style.safe(host) for host in table.hosts[:MOST_HOSTS]]
    explained = [row for row in table.rows if row.meaning is not None]
    first = max((len(row.name) for row in explained), default=0)
    wide = [
        max(len(host), *(len(_signed(row.changes[place])) for row in table.rows))
        for place, host in enumerate(hosts)
    ]
    yield Text()
    more = len(table.hosts) - len(hosts)
    also = f"; of {more} more hosts report.json has them" if more else ""
    yield style.heading(f"What the kernels counted{also}")
    head = "".join(f"{'':<{GAP}}{host:>{room}}" for host, room in zip(hosts, wide, strict=True))
    yield Text(f"  {'':<{first}}{head}", "bold blue")
    room = style.width - first - sum(wide) - GAP * (len(wide) + 2)
    for row in explained:
        cells = "".join(
            f"{'':<{GAP}}{_signed(change):>{wide[place]}}"
            for place, change in enumerate(row.changes[:MOST_HOSTS])
        )
        line = Text(f"  {style.safe(row.name):<{first}}{cells}")
        assert row.meaning is not None
        if room < len(row.meaning.text) // 3:
            yield line
            for piece in style.wrap(row.meaning.text, style.width - 6):
                yield Text(f"      {piece}", "dim")
            continue
        begin, *others = style.wrap(row.meaning.text, room)
        line.append(f"{'':<{GAP}}{begin}", "dim")
        yield line
        for other in others:
            yield Text(" " * (style.width - room) + other, "dim")
    rest = [_briefly(row) for row in table.rows if row.meaning is None]
    if rest:
        for piece in style.wrap(f"and {', '.join(rest)}", style.width - 2, "  "):
            yield Text(f"  {piece}", "dim")


def draw_held(timeline: Timeline, style: Style) -> Iterator[Text]:
    """What the kernels of the programs' hosts held, moment by moment: sockets and their queues."""
    rows = held_rows(timeline.recording, timeline.step)
    if not rows:
        return
    yield Text()
    yield style.heading("What the kernels held")
    for moment, of_moment in groupby(rows, key=lambda row: (row.time_ns, row.moment, row.host)):
        _, what, host = moment
        yield Text(f"  {style.safe(host)}{', ' if host else ''}{what}", "bold blue")
        for row in of_moment:
            said = "; ".join(filter(None, (row.queues, row.tcp)))
            text = f"{row.socket}  {row.state}{'  ' if said else ''}{said}"
            for piece in style.wrap(style.safe(text), style.width - 4, "    "):
                yield Text(f"    {piece}")


def _briefly(row: CounterRow) -> str:
    return f"{row.name} {'/'.join(map(_signed, row.changes[:MOST_HOSTS]))}"


def _signed(change: int) -> str:
    return f"{change:+d}" if change else "0"


def draw_decisions(decisions: Iterable[Decision], style: Style) -> Iterator[Text]:
    """Each statement with its verdict and the claims that decide it."""
    for decision in decisions:
        line = Text(f"{decision.statement.id:<4}", "bold")
        line.append(f"{decision.outcome.value:<11}", OUTCOME_COLOURS[decision.outcome])
        first, *rest = style.wrap(decision.statement.precisely, style.width - 15)
        line.append(first)
        yield line
        for more in rest:
            yield Text(" " * 15 + more)
        for more in style.wrap(", ".join(_sources(decision)), style.width - 15):
            yield Text(" " * 15 + more, "dim")


def _sources(decision: Decision) -> Iterator[str]:
    """Scenario and claim; the outcome where it is another than the statement's."""
    for scenario, claim, outcome in decision.by:
        own = "" if outcome is decision.outcome else f" ({outcome.value})"
        yield f"{scenario}: {claim}{own}"
