from __future__ import annotations

import json
from dataclasses import replace

from scenes import Parsed
from tried import SHEET, tried

from lab.grade.mark import Grade
from lab.records import CellRun, Keeper, Limit, LimitKept
from lab.report.grades.gradescope import gradescope_results
from lab.report.grades.held import held_notes, held_rows, held_values, ways_held
from lab.report.grades.overview_page import overview_page
from lab.report.grades.terminal_table import draw_held
from lab.report.terminal.drawing.style import Style

RLIMITS = tuple(LimitKept(each, Keeper.RLIMIT) for each in (Limit.MEMORY, Limit.PROCESSES))
GROUP = (LimitKept(Limit.MEMORY, Keeper.CGROUP), *RLIMITS)


def held(kept: tuple[LimitKept, ...], uid: int = 1000) -> Grade:
    return replace(tried(str(uid), b"hello"), held=CellRun(uid, kept))


def test_a_row_for_each_limit_says_how_much_and_who_keeps_it() -> None:
    rows = {name: rest for name, *rest in held_rows(SHEET, CellRun(1, GROUP))}
    assert len(rows) == len(Limit)
    by_group = "a control group (cgroup v2), of all its processes together"
    assert rows["memory"] == ["512 MiB", f"{by_group}; rlimit, of each process"]
    assert rows["processes"] == ["64", "rlimit, of their user"]
    assert rows["time"] == ["60 s", ""]
    assert rows["open files"][0] == "256" and rows["output"][0] == "1,024 KiB"


def test_who_was_held_alike_is_said_once() -> None:
    grades = [held(RLIMITS), tried("nobody tried it", b""), held(GROUP, 7), held(GROUP, 8)]
    assert ways_held(grades) == [CellRun(1000, RLIMITS), CellRun(7, GROUP)]
    assert "as uid 1000 " in held_notes(grades, CellRun(1000, RLIMITS))[-1]
    assert "a uid of its own: 7 …" in held_notes(grades, CellRun(7, GROUP))[-1]


def test_values_are_for_programs() -> None:
    found = held_values(SHEET, CellRun(7, GROUP))
    assert found["uid"] == 7
    assert found["limits"]["memory_mib"] == {"most": 512, "kept_by": ["cgroup", "rlimit"]}
    assert set(found["limits"]) == {each.value for each in Limit}


def test_every_output_for_teachers_says_it() -> None:
    grade = held(GROUP)
    words = " ".join(" ".join(Parsed(overview_page(SHEET, [grade])).text).split())
    assert "How programs were held" in words and "memory 512 MiB a control group" in words
    lines = [line.plain for line in draw_held(SHEET, [grade], Style(120, False))]
    assert any("512 MiB" in line and "cgroup v2" in line for line in lines)
    results = json.loads(gradescope_results(SHEET, grade))
    assert results["extra_data"]["held"]["limits"]["processes"]["kept_by"] == ["rlimit"]


def test_of_what_was_not_tried_nothing_is_said() -> None:
    grade = tried("ann", b"hello")
    assert "How programs were held" not in overview_page(SHEET, [grade])
    assert [*draw_held(SHEET, [grade], Style(80, False))] == []
    assert "extra_data" not in json.loads(gradescope_results(SHEET, grade))
