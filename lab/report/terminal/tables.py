"""Tables: the sockets compared, the statements decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from lab.analysis.comparison import COMPARED, Column, comparison_rows
from lab.analysis.decisions import Decision
from lab.report.terminal.style import OUTCOME_COLOURS, Style

GAP = 2


def draw_comparison(columns: Sequence[Column], style: Style) -> Iterator[Text]:
    """One column for each step, one row for each thing compared."""
    rows = comparison_rows(columns)
    yield from _draw_rows(rows, style)
    yield Text()
    for line in COMPARED:
        yield Text(style.safe(line), "dim")
    yield Text()


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


def _draw_rows(rows: Sequence[tuple[str, list[str]]], style: Style) -> Iterator[Text]:
    head = max(cell_len(name) for name, _ in rows)
    wide = max(cell_len(cell) for _, cells in rows for cell in cells) + GAP
    for number, (name, cells) in enumerate(rows):
        line = Text(f"{name:<{head}}", "bold" if number else "")
        for cell in cells:
            line.append(f"{style.safe(cell):>{wide}}", "" if number else "bold blue")
        yield line
