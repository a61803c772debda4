from __future__ import annotations

from pathlib import Path

import pytest
from handed_in import IN_C, RIGHT, WRONG, hand_in
from outside import REPOSITORY

from lab.grade.mark import Grade
from lab.grading.programs import grade_program
from lab.grading.sheet_file import load_sheet
from lab.model.claim import Outcome

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]

SHEET = load_sheet(str(REPOSITORY / "tests/support/grades/echo_sheet.py"))


def graded(folder: Path, **program: str) -> Grade:
    (file,) = hand_in(folder / "up", **program)
    return grade_program(SHEET, file, "ann", folder / "scratch")


def told(grade: Grade) -> list[list[str]]:
    return [[hint.misconception or hint.text for hint in mark.told] for mark in grade.marks]


def test_a_right_program_passes_and_gets_no_hint(tmp_path: Path) -> None:
    grade = graded(tmp_path, ann=RIGHT)
    assert (grade.score, grade.max_score) == (4, 4), grade
    assert told(grade) == [[], [], []] and grade.pictures == ()
    assert grade.built is not None and grade.built.language == "Python"


def test_a_right_program_in_c_passes(tmp_path: Path) -> None:
    grade = graded(tmp_path, ann_c=IN_C)
    assert grade.score == 4, grade


def test_a_misconception_is_told_with_the_ladder_and_what_the_program_did(tmp_path: Path) -> None:
    grade = graded(tmp_path, ann=WRONG["loopback"])
    assert grade.score == 0
    assert told(grade) == [["binds-loopback"], [], ["Bind to :: as well."]]
    assert grade.marks[0].hints[0].evidence == "the client was refused"
    assert [picture.trial for picture in grade.pictures] == ["one-client", "over-ipv6"]
    assert "<svg" in grade.pictures[0].drawing
    assert "The program server" in grade.pictures[0].text


def test_no_path_of_the_graders_is_told(tmp_path: Path) -> None:
    for name in ("loopback", "silent", "ends", "syntax"):
        grade = graded(tmp_path / name, ann=WRONG[name])
        assert str(tmp_path) not in repr(grade)


def test_what_ends_at_once_is_not_tried_again_and_its_status_is_said(tmp_path: Path) -> None:
    grade = graded(tmp_path, ann=WRONG["ends"])
    assert {mark.outcome for mark in grade.marks} == {Outcome.BROKEN}
    assert "exited with status 3" in grade.marks[0].why
    assert told(grade) == [[], [], []]
    assert {mark.ended for mark in grade.marks} == {()}


def test_a_signal_that_is_not_the_labs_own_is_said(tmp_path: Path) -> None:
    ends = "    import os; os.kill(os.getpid(), 11)\n    with connection:"
    grade = graded(tmp_path / "a", ann=RIGHT.replace("    with connection:", ends))
    said = {each for mark in grade.marks for each in mark.ended}
    assert said == {"The program server was killed by SIGSEGV; it wrote nothing to stderr."}
    grade = graded(tmp_path / "b", ann=WRONG["silent"])
    assert grade.score < 4
    assert {mark.ended for mark in grade.marks} == {()}


def test_what_a_limit_ended_is_said(tmp_path: Path) -> None:
    flood = RIGHT.replace("while True:", "print('x' * (64 << 20), flush=True)\nwhile True:")
    grade = graded(tmp_path, ann=flood)
    assert grade.score == 0
    (said,) = {each for mark in grade.marks for each in mark.ended}
    assert said.startswith("The program server wrote more than 1048576 bytes"), said


def test_what_cannot_be_built_scores_nothing(tmp_path: Path) -> None:
    grade = graded(tmp_path, ann=WRONG["syntax"])
    assert grade.score == 0 and grade.built is not None and grade.built.has_failed
    assert "SyntaxError" in grade.built.output


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    grade = grade_program(SHEET, str(tmp_path / "none.py"), "ann", tmp_path / "scratch")
    assert grade.refused and grade.score == 0
