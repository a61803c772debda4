from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from hostile import HOSTILE
from scenes import Parsed
from tried import SHEET, looker

from lab.grade.hints import give_hints
from lab.grade.judging import fail_checks, judge_trials
from lab.grade.mark import Built, Grade, Picture
from lab.grading.outputs import write_outputs

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def graded(student: str, value: object) -> Grade:
    look = looker(value)
    marks, faults = give_hints(SHEET, judge_trials(SHEET, look), look)
    picture = Picture("One client", "<svg><text>ladder</text></svg>", HOSTILE, (), "one-client")
    other = replace(picture, trial="over-ipv6", title="Over IPv6")
    return Grade(student, f"{student}.py", marks, pictures=(picture, other), faults=faults)


def not_built(student: str) -> Grade:
    built = Built("C", True, "cc -o x ./x.c", f"error: {HOSTILE}\n  ^~~~")
    return Grade(student, f"{student}.c", fail_checks(SHEET, "not built"), built=built)


def test_the_outputs_of_hostile_programs_are_harmless(tmp_path: Path) -> None:
    hostile = HOSTILE.replace("\0", "")
    grades = [graded("ann", b"hello"), graded(hostile, hostile), not_built(f"{hostile}2")]
    write_outputs(SHEET, grades, tmp_path, NOW)
    pages = [*tmp_path.rglob("*.html")]
    assert len(pages) == 4
    for page in pages:
        parsed = Parsed(page.read_text("utf-8"))
        assert not {tag for tag, _ in parsed.elements} & {"script", "img", "link", "iframe"}
        assert not any(name.startswith("on") for _, names in parsed.elements for name in names)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"\x1b" not in path.read_bytes()
            assert "\u202e" not in path.read_text("utf-8")
    assert ElementTree.parse(tmp_path / "junit.xml").getroot().get("tests") == "9"
    rows = [*csv.reader((tmp_path / "results.csv").read_text("utf-8").splitlines())]
    assert [row[2] for row in rows] == ["score", "4", "1", "0"]


def test_a_student_gets_the_hints_and_the_ladders_of_what_failed(tmp_path: Path) -> None:
    write_outputs(SHEET, [graded("ann", b"hello"), graded("bob", "refused")], tmp_path, NOW)
    ann, bob = (
        (tmp_path / f"students/{name}/student.html").read_text("utf-8") for name in ("ann", "bob")
    )
    assert "ladder" not in ann and "Hint" not in ann
    assert bob.count("<svg>") == 2
    assert "Hint: Bind to all addresses. Source: ip(7)" in bob and "Send back" not in bob
    results = json.loads((tmp_path / "students/bob/results.json").read_bytes())
    assert "Hint: Bind to all addresses." in results["tests"][0]["output"]
    assert "binds-loopback" in (tmp_path / "results.csv").read_text("utf-8")


def test_what_the_compiler_said_is_shown(tmp_path: Path) -> None:
    write_outputs(SHEET, [not_built("cem")], tmp_path, NOW)
    page = (tmp_path / "students/cem/student.html").read_text("utf-8")
    assert "It could not be built (C)" in page
    assert "$ cc -o x ./x.c\nerror: &lt;script&gt;" in page
    assert "Hint:" not in page
    results = json.loads((tmp_path / "results.json").read_bytes())
    assert "error: <script>" in results["output"]
