from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r

from lab.analysis.assembly import build_timelines
from lab.analysis.comparison import compare_steps
from lab.analysis.decisions import Decision
from lab.model.claim import Outcome
from lab.model.statements import Statement
from lab.recording.storage import load_recording
from lab.report.terminal.style import Style
from lab.report.terminal.tables import draw_comparison, draw_decisions

STATEMENT = Statement("X1", "what the notes say", "what is precisely true " * 8)


def rows(name: str = "unix4") -> dict[str, list[str]]:
    columns = compare_steps(build_timelines(load_recording(r.FOLDER / name)))
    lines = [line.plain for line in draw_comparison(columns, Style(120, True))]
    table = lines[: lines.index("")]
    head = table[0].index(columns[0].step)
    start = max(len(line[:head].rstrip()) for line in table)
    return {line[:start].strip(): line[start:].split() for line in table}


def test_each_step_has_a_column_and_each_thing_a_row() -> None:
    found = rows()
    assert found[""] == ["conversation", "abstract", "names", "loopback"]
    assert found["frames"] == ["0", "0", "0", "18"]
    assert found["round trips before data"] == ["-", "-", "-", "0"]
    assert found["silent?"] == ["yes", "yes", "yes", "no"]
    assert {len(cells) for cells in found.values()} == {4}


def test_silence_of_a_capture_that_is_incomplete_is_undecided() -> None:
    (column,) = compare_steps(build_timelines(r.recorded(4)))
    doubtful = replace(column, incomplete=("the kernel dropped 3 frames",))
    lines = [line.plain for line in draw_comparison([doubtful], Style(120, True))]
    (silent,) = (line for line in lines if line.startswith("silent?"))
    assert silent.split() == ["silent?", "undecided"]


def test_a_blank_line_ends_the_table() -> None:
    columns = compare_steps(build_timelines(load_recording(r.FOLDER / "unix4")))
    *_, silent, last = [line.plain for line in draw_comparison(columns, Style(120, True))]
    assert (silent.partition(":")[0], last) == ("Silent", "")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_decision_names_its_claims_and_an_outcome_that_differs(width: int) -> None:
    by = (("tcp", "tcp-opens", Outcome.BROKEN), ("udp", "udp-bytes", Outcome.HOLDS))
    decision = Decision(STATEMENT, Outcome.BROKEN, by)
    lines = [line.plain for line in draw_decisions([decision], Style(width, True))]
    assert lines[0].startswith("X1  BROKEN     what is precisely true")
    assert max(map(len, lines)) <= width
    assert lines[-1].strip() == "tcp: tcp-opens, udp: udp-bytes (HOLDS)"
