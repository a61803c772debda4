from __future__ import annotations

import pytest

from lab.analysis.decisions import Decision
from lab.model.claim import Outcome
from lab.model.statements import Statement
from lab.model.table import Table
from lab.report.terminal.drawing.style import Style
from lab.report.terminal.tables import draw_decisions, draw_table

STATEMENT = Statement("X1", "what the notes say", "what is precisely true " * 8)
TABLE = Table(
    ("", "one", "two"),
    (("frames", "0", "18"), ("wire → bytes", "-", "a\x1b" * 40)),
    ("said of it " * 20,),
)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_table_has_its_head_rows_and_notes_within_the_page(width: int) -> None:
    lines = [line.plain for line in draw_table(TABLE, Style(width, ascii_only=True))]
    head, frames, cut, *notes = lines
    assert head.split() == ["one", "two"]
    assert frames.split() == ["frames", "0", "18"]
    assert cut.isprintable() and "\\x1b" in cut
    assert " ".join(" ".join(notes).split()) == " ".join(TABLE.notes).strip()
    assert max(map(len, lines)) <= width


def test_cells_stand_at_the_right_of_their_column() -> None:
    table = Table(("", "column"), (("row", "1"), ("longer row", "23456789")))
    lines = [line.plain for line in draw_table(table, Style(80, ascii_only=True))]
    assert lines == [
        "              column",
        "row                1",
        "longer row  23456789",
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_decision_names_its_claims_and_an_outcome_that_differs(width: int) -> None:
    by = (("tcp", "tcp-opens", Outcome.BROKEN), ("udp", "udp-bytes", Outcome.HOLDS))
    decision = Decision(STATEMENT, Outcome.BROKEN, by)
    lines = [line.plain for line in draw_decisions([decision], Style(width, ascii_only=True))]
    assert lines[0].startswith("X1  BROKEN     what is precisely true")
    assert max(map(len, lines)) <= width
    assert lines[-1].strip() == "tcp: tcp-opens, udp: udp-bytes (HOLDS)"
