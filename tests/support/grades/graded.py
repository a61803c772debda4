"""A sheet, and grades of students whose names and files are hostile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hostile import HOSTILE

from lab.capture_files import load_capture
from lab.grade.check import Check
from lab.grade.judging import judge_checks, refuse_checks
from lab.grade.mark import Grade
from lab.grade.sheet import Sheet

RECORDINGS = Path(__file__).parents[2] / "recordings"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
SHEET = Sheet(
    "A conversation over TCP",
    "A capture of one of yours.",
    (
        Check("opens", 2, "handshake", hint="begin to capture before you connect"),
        Check("ends", 1.5, "closes-with-fin", hint="close both sides"),
        Check("clean", 0.5, "no-reset", hint="HIDDEN-HINT", visibility="hidden"),
        Check("quick", 1, "round-trips<=9", visibility="after_due_date"),
    ),
    "2026-12-24T12:00+00:00",
)


def graded(name: str, student: str = "", sheet: Sheet = SHEET) -> Grade:
    """What the recorded run of that name is worth."""
    capture = load_capture(str(RECORDINGS / name / "recording.pcapng"))
    return Grade(student or name, f"{student or name}.pcapng", judge_checks(sheet, capture))


def refused(student: str = "nobody", why: str = "it is no capture") -> Grade:
    """A file of which nothing could be judged."""
    return Grade(student, f"{student}.pcap", refuse_checks(SHEET, why), why)


def hostile_grade() -> Grade:
    """Everything that a student can name is hostile, and what was seen of it."""
    grade = graded("reset4", HOSTILE)
    marks = tuple(
        replace(
            mark,
            why=HOSTILE,
            text=f"{HOSTILE}\n{HOSTILE}",
            compared=tuple(replace(each, actual=HOSTILE) for each in mark.compared),
        )
        for mark in grade.marks
    )
    return replace(grade, marks=marks)
