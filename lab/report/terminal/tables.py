"""Tables: what a scenario shows of a run, the statements decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.text import Text

from lab.analysis.decisions import Decision
from lab.model.table import Table
from lab.report.terminal.drawing.style import OUTCOME_COLOURS, Style

GAP = 2


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
