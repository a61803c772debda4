from __future__ import annotations

import json
from dataclasses import replace

from scenes import Parsed
from tried import SHEET, tried

from lab.grade.mark import Built, Grade
from lab.grade.submission import BUILD
from lab.records import CellRun, Enforcer, Limit, LimitKept
from lab.report.grades.gradescope import gradescope_results
from lab.report.grades.held import held_values, ways_held
from lab.report.grades.overview_page import overview_page
from lab.report.grades.terminal_table import draw_held
from lab.report.terminal.drawing.style import Style

RLIMITS = tuple(LimitKept(each, Enforcer.RLIMIT) for each in (Limit.MEMORY, Limit.PROCESSES))
GROUP = (LimitKept(Limit.MEMORY, Enforcer.CGROUP), *RLIMITS)


ALL = (*GROUP, LimitKept(Limit.MEMORY, Enforcer.LAB))


def held(kept: tuple[LimitKept, ...], uid: int = 1000) -> Grade:
    return replace(tried(str(uid), b"hello"), held=CellRun(uid, kept))


def built(grade: Grade, kept: tuple[LimitKept, ...]) -> Grade:
    return replace(grade, built=Built("C", held=CellRun(9, kept)))


def test_a_row_for_each_limit_says_how_much_and_who_keeps_it() -> None:
    (way,) = ways_held(SHEET, [held(ALL)])
    rows = {name: rest for name, *rest in way.rows}
    assert len(rows) == len(Limit)
    assert rows["memory"] == ["512 MiB", "cgroup v2 and the lab, together; rlimit, each process"]
    assert rows["processes"] == ["64", "rlimit, of their user"]
    assert rows["time"] == ["60 s", ""]
    assert rows["open files"][0] == "256" and rows["output"][0] == "1,024 KiB"


def test_who_was_held_alike_is_said_once() -> None:
    grades = [held(RLIMITS), tried("nobody tried it", b""), held(GROUP, 7), held(GROUP, 8)]
    one, other = ways_held(SHEET, grades)
    assert (one.kept, one.uids, other.kept, other.uids) == (RLIMITS, (1000,), GROUP, (7, 8))
    assert "as uid 1000 " in one.notes[-1]
    assert "a uid of its own: 7 …" in other.notes[-1]


def test_what_built_them_was_held_within_limits_of_its_own() -> None:
    run, build = ways_held(SHEET, [built(held(GROUP), RLIMITS)])
    assert (run.title, build.title) == ("How programs were held", "How they were built")
    rows = {name: rest for name, *rest in build.rows}
    assert rows["memory"] == [f"{BUILD.memory_mib:,} MiB", "rlimit, each process"]
    assert "frames" not in rows and "captured" not in rows
    assert "as uid 9" in build.notes[-1]
    (only,) = ways_held(SHEET, [built(tried("cannot be built", b""), RLIMITS)])
    assert only == build


def test_values_are_for_programs() -> None:
    found = held_values(SHEET, built(held(GROUP, 7), RLIMITS))
    assert found["held"]["uid"] == 7
    assert found["held"]["limits"]["memory_mib"] == {"most": 512, "kept_by": ["cgroup", "rlimit"]}
    assert set(found["held"]["limits"]) == {each.value for each in Limit}
    of_build = found["built"]["limits"]["memory_mib"]
    assert of_build == {"most": BUILD.memory_mib, "kept_by": ["rlimit"]}


def test_every_output_for_teachers_says_it() -> None:
    grade = built(held(ALL), RLIMITS)
    words = " ".join(" ".join(Parsed(overview_page(SHEET, [grade])).text).split())
    assert "How programs were held" in words and "memory 512 MiB cgroup v2 and" in words
    assert "How they were built" in words
    lines = [line.plain for line in draw_held(SHEET, [grade], Style(80, False))]
    assert any("512 MiB" in line and line.endswith("rlimit, each process") for line in lines)
    assert any("1,024 MiB" in line for line in lines)
    results = json.loads(gradescope_results(SHEET, grade))
    assert results["extra_data"]["held"]["limits"]["processes"]["kept_by"] == ["rlimit"]
    assert results["extra_data"]["built"]["uid"] == 9


def test_of_what_was_not_tried_nothing_is_said() -> None:
    grade = tried("ann", b"hello")
    assert "How programs were held" not in overview_page(SHEET, [grade])
    assert [*draw_held(SHEET, [grade], Style(80, False))] == []
    assert "extra_data" not in json.loads(gradescope_results(SHEET, grade))
