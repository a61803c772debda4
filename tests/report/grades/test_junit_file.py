from __future__ import annotations

from xml.etree import ElementTree

from graded import SHEET, graded, hostile_grade, refused

from lab.grade.mark import Grade
from lab.report.grades.junit_file import grades_junit


def parsed(*grades: Grade) -> ElementTree.Element:
    return ElementTree.fromstring(grades_junit(SHEET, grades))


def test_a_student_is_a_suite_and_a_check_a_case() -> None:
    root = parsed(graded("tcp4"), graded("half-close4"), graded("udp4"), refused())
    counts = [(s.get("name"), s.get("tests"), s.get("failures"), s.get("errors")) for s in root]
    assert counts == [
        ("tcp4", "4", "0", "0"),
        ("half-close4", "4", "2", "0"),
        ("udp4", "4", "0", "4"),
        ("nobody", "4", "0", "4"),
    ]
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("16", "2", "8")


def test_a_failure_says_what_was_expected_and_what_was_there() -> None:
    (failure, *_) = parsed(graded("half-close4")).iter("failure")
    assert "ends otherwise" in failure.get("message", "")
    assert "expected: " in (failure.text or "")


def test_what_students_name_is_text() -> None:
    root = parsed(hostile_grade())
    assert {element.tag for element in root.iter()} == {
        "testsuites", "testsuite", "testcase", "failure",
    }  # fmt: skip
    assert "<script>" in root[0].get("name", "")
