from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from graded import SHEET, graded, hostile_grade, refused

from lab.grade.mark import Grade
from lab.grade.sheet import Sheet
from lab.report.grades.gradescope import gradescope_results

DOCUMENTED = {
    "score", "execution_time", "output", "output_format", "test_output_format", "test_name_format",
    "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard",
}  # fmt: skip
OF_A_TEST = {
    "score", "max_score", "status", "name", "name_format", "number", "output", "output_format",
    "tags", "visibility", "extra_data",
}  # fmt: skip


def results(grade: Grade, sheet: Sheet = SHEET) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gradescope_results(sheet, grade))
    return found


def test_only_documented_fields_are_there() -> None:
    for grade in (graded("tcp4"), graded("half-close4"), refused(), hostile_grade()):
        found = results(grade)
        assert set(found) <= DOCUMENTED
        assert found["visibility"] == "visible"
        assert found["stdout_visibility"] == "hidden"
        for test in found["tests"]:
            assert set(test) <= OF_A_TEST
            assert test["status"] in ("passed", "failed")
            assert test["visibility"] in ("visible", "hidden", "after_due_date", "after_published")


def test_scores_are_of_the_checks() -> None:
    found = results(graded("half-close4"))
    assert found["score"] == sum(test["score"] for test in found["tests"]) == 3
    assert [test["max_score"] for test in found["tests"]] == [2, 1.5, 0.5, 1]
    assert [test["status"] for test in found["tests"]] == ["passed", "failed", "failed", "passed"]
    opens, ends, *_ = found["tests"]
    assert opens["name"] == "opens: Each TCP connection opens with SYN, SYN-ACK and ACK."
    assert opens["output"].startswith("Passed: ")
    assert ends["output"].endswith("Hint: close both sides")


def test_a_score_that_hidden_checks_are_in_is_not_said() -> None:
    assert results(graded("half-close4"))["output"] == "A conversation over TCP"
    sheet = replace(SHEET, checks=SHEET.checks[:2])
    said = results(graded("half-close4", sheet=sheet), sheet)["output"]
    assert said == "A conversation over TCP: 2 of 3.5"


def test_a_refused_file_scores_nothing_and_says_why() -> None:
    found = results(refused())
    assert (found["score"], found["output"]) == (0, "it is no capture")
    assert {test["status"] for test in found["tests"]} == {"failed"}


def test_texts_are_plain_and_say_so() -> None:
    found = results(hostile_grade())
    kinds = ("output_format", "test_output_format", "test_name_format")
    assert {found[each] for each in kinds} == {"text"}
    for test in found["tests"]:
        assert all(c == "\n" or c.isprintable() for c in test["output"] + test["name"])
