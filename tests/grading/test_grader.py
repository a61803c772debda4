from __future__ import annotations

import csv
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lab.errors import UsageError
from lab.grading.grader import grade_captures, labs_faults, sheets_faults
from lab.grading.sheet_file import load_sheet
from lab.grading.upload import load_upload

ROOT = Path(__file__).parents[2]
RECORDINGS = ROOT / "tests/recordings"
EXAMPLE = ROOT / "sheets/tcp_conversation.py"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
HOSTILE = "=1+1 <script>x</script> \x1b[2J .pcap"

SCORES = {
    "tcp4": 7, "tcp6": 7, "traced-tcp4": 7, "wired-tcp4": 7, "tls4": 7, "zero-window4": 7,
    "half-close4": 4, "keepalive4": 2, "time-wait4": 5, "reset4": 0, "udp4": 0,
}  # fmt: skip
"""By recorded run, what the example's sheet gives for it."""


def uploads(folder: Path, *names: str) -> list[str]:
    folder.mkdir()
    files = [folder / f"{name}.pcapng" for name in names]
    for name, file in zip(names, files, strict=True):
        shutil.copy(RECORDINGS / name / "recording.pcapng", file)
    return [str(file) for file in files]


def sheet_of(folder: Path, text: str) -> str:
    path = folder / "sheet.py"
    path.write_text(text, "utf-8")
    return str(path)


def test_the_example_tells_right_captures_from_wrong_ones(tmp_path: Path) -> None:
    sheet = load_sheet(str(EXAMPLE))
    grades = grade_captures(sheet, uploads(tmp_path / "up", *SCORES), str(tmp_path / "out"), NOW)
    assert {grade.student: grade.score for grade in grades} == SCORES
    assert {grade.max_score for grade in grades} == {7}
    assert sheets_faults(grades) == []
    for grade in grades:
        for mark in grade.marks:
            assert mark.passed or mark.why


def test_all_outputs_are_written(tmp_path: Path) -> None:
    out = tmp_path / "a/out"
    files = uploads(tmp_path / "up", "tcp4", "reset4")
    grade_captures(load_sheet(str(EXAMPLE)), files, str(out), NOW)
    written = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert written == {
        "results.csv", "junit.xml", "overview.html",
        *(f"students/{name}/{file}" for name in ("tcp4", "reset4")
          for file in ("results.json", "student.html")),
    }  # fmt: skip
    (_, good, bad) = csv.reader((out / "results.csv").read_text("utf-8").splitlines())
    assert (good[0], good[2], bad[0], bad[2]) == ("tcp4", "7", "reset4", "0")
    assert json.loads((out / "students/tcp4/results.json").read_bytes())["score"] == 7
    assert ElementTree.parse(out / "junit.xml").getroot().get("tests") == "8"
    assert "<svg" in (out / "students/reset4/student.html").read_text("utf-8")


def test_of_one_file_results_json_is_where_gradescope_takes_it(tmp_path: Path) -> None:
    files = uploads(tmp_path / "up", "half-close4")
    grade_captures(load_sheet(str(EXAMPLE)), files, str(tmp_path / "out"), NOW)
    assert json.loads((tmp_path / "out/results.json").read_bytes())["score"] == 4
    assert (tmp_path / "out/students/half-close4/student.html").is_file()


def test_a_hostile_file_scores_nothing_and_touches_no_other(tmp_path: Path) -> None:
    files = uploads(tmp_path / "up", "tcp4")
    sheet = load_sheet(str(EXAMPLE))
    alone = grade_captures(sheet, files, str(tmp_path / "one"), NOW)
    bad = tmp_path / "up" / HOSTILE.replace("/", "")
    bad.write_bytes(b"<script>")
    none = str(tmp_path / "up/../../none.pcap")
    out = tmp_path / "out"
    grades = grade_captures(sheet, [str(bad), *files, none], str(out), NOW)
    assert [grade.score for grade in grades] == [0, 7, 0]
    assert grades[1] == alone[0]
    assert grades[0].refused and grades[2].refused
    for page in out.rglob("*.html"):
        assert "<script>" not in page.read_text("utf-8")
    assert {path.name for path in out.iterdir()} == {
        "results.csv", "junit.xml", "overview.html", "students",
    }  # fmt: skip
    rows = list(csv.reader((out / "results.csv").read_text("utf-8").splitlines()))
    assert rows[1][0].startswith("'=1+1")


def test_a_fault_of_the_labs_own_leaves_the_others_graded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(path: str) -> object:
        if "reset4" in path:
            raise RecursionError("too deep")
        return load_upload(path)

    monkeypatch.setattr("lab.grading.grader.load_upload", failing)
    files = uploads(tmp_path / "up", "reset4", "tcp4")
    grades = grade_captures(load_sheet(str(EXAMPLE)), files, str(tmp_path / "out"), NOW)
    assert [grade.score for grade in grades] == [0, 7]
    assert grades[0].refused == "the lab failed on reset4.pcapng: RecursionError: too deep"


def test_a_file_that_takes_too_long_leaves_the_others_graded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(path: str) -> object:
        while "reset4" in path:
            pass
        return load_upload(path)

    files = uploads(tmp_path / "up", "reset4", "tcp4")
    sheet = load_sheet(str(EXAMPLE))
    grade_captures(sheet, files, str(tmp_path / "out"), NOW)  # now all is imported
    monkeypatch.setattr("lab.grading.grader.load_upload", endless)
    monkeypatch.setattr("lab.grading.grader.MOST_CPU_S", 0.25)
    grades = grade_captures(sheet, files, str(tmp_path / "out"), NOW)
    assert [grade.score for grade in grades] == [0, 7]
    assert grades[0].refused == "reset4.pcapng takes more than 0.25 s of the processor's time"


def test_a_picture_that_fails_is_left_out_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(ladders: object) -> None:
        raise ValueError("no room")

    monkeypatch.setattr("lab.grading.grader.pictures_of_capture", failing)
    files = uploads(tmp_path / "up", "tcp4")
    (grade,) = grade_captures(load_sheet(str(EXAMPLE)), files, str(tmp_path / "out"), NOW)
    assert grade.score == 7
    text = (tmp_path / "out/students/tcp4/student.html").read_text("utf-8")
    assert "could not be drawn: ValueError: no room" in text


def test_what_a_sheets_check_fails_in_is_said_once(tmp_path: Path) -> None:
    text = """
from lab.api import Check, Sheet

def own(capture):
    \"\"\"It is so.\"\"\"
    capture.nothing()

SHEET = Sheet("t", "h", (Check("own", 1, own), Check("opens", 1, "handshake")))
"""
    files = uploads(tmp_path / "up", "tcp4", "tcp6")
    sheet = load_sheet(sheet_of(tmp_path, text))
    grades = grade_captures(sheet, files, str(tmp_path / "out"), NOW)
    assert [grade.score for grade in grades] == [1, 1]
    (fault,) = sheets_faults(grades)
    assert fault.startswith("the check 'own': the check failed itself: AttributeError: ")


def test_a_check_that_loops_is_the_sheets_fault_and_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
from lab.api import Check, Sheet

def own(capture):
    \"\"\"It is so.\"\"\"
    while True:
        pass

SHEET = Sheet("t", "h", (Check("own", 1, own), Check("opens", 1, "handshake")))
"""
    files = uploads(tmp_path / "up", "tcp4")
    sheet = load_sheet(sheet_of(tmp_path, text))
    grade_captures(load_sheet(str(EXAMPLE)), files, str(tmp_path / "out"), NOW)  # all is imported
    monkeypatch.setattr("lab.grading.grader.MOST_CPU_S", 0.25)
    (grade,) = grade_captures(sheet, files, str(tmp_path / "out"), NOW)
    assert (grade.score, grade.refused) == (1, "")
    assert "takes too long, whatever it is given" in sheets_faults([grade])[0]
    assert labs_faults([grade]) == []


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(UsageError, match="is not a folder"):
        grade_captures(load_sheet(str(EXAMPLE)), ["x.pcap"], str(file), NOW)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/students").write_bytes(b"")
    with pytest.raises(UsageError, match="cannot make the folder"):
        grade_captures(load_sheet(str(EXAMPLE)), ["x.pcap"], str(tmp_path / "out"), NOW)
