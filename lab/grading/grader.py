"""A sheet's file loaded; uploaded captures graded by it, each by itself; the outputs written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lab.derive import write_bytes, write_text
from lab.errors import CaptureFileError, UsageError
from lab.grade.judging import OutOfTime, judge_checks, refuse_checks
from lab.grade.mark import Grade
from lab.grade.naming import folder_names, student_names
from lab.grade.sheet import Sheet
from lab.grading.deadline import cpu_deadline
from lab.grading.upload import load_upload
from lab.recording.artifacts import check_links, check_writable, give_to_invoker
from lab.report.grades.csv_file import grades_csv
from lab.report.grades.gradescope import gradescope_results
from lab.report.grades.junit_file import grades_junit
from lab.report.grades.overview_page import overview_page
from lab.report.grades.student_page import student_page
from lab.scenario_files import names_in_file

if TYPE_CHECKING:
    from lab.results import Capture

MOST_CPU_S = 30.0
"""Of the processor's time for one file: a frame of thousands of headers takes some seconds."""

STUDENTS = "students"
"""The folder that has one for each student."""


def load_sheet(file: str) -> Sheet:
    """The SHEET of a Python file. Raises UsageError, for a mistake in it with the line."""
    path = Path(file)
    if not path.is_file():
        raise UsageError(f"there is no lab sheet {file}")
    sheet = names_in_file(path.absolute()).get("SHEET")
    if sheet is None:
        raise UsageError(f"{file}: there is no SHEET in it")
    if not isinstance(sheet, Sheet):
        raise UsageError(f"{file}: SHEET is no Sheet")
    return sheet


def grade_captures(sheet: Sheet, files: Sequence[str], out: str, now: datetime) -> list[Grade]:
    """The grades of the captures, a file each, in their order; all outputs are below `out`.

    `now` decides what students may see on their pages. To be called in the main thread. Raises
    UsageError where nothing can be written; whatever is wrong with a file is in its grade, and
    touches no other.
    """
    target = Path(out)
    check_writable(target)
    names = student_names(files)
    folders = [target / STUDENTS / name for name in folder_names(names)]
    grades = []
    for file, name, folder in zip(files, names, folders, strict=True):
        grade, capture = _graded(sheet, file, name)
        _make_folder(folder)
        results = (target if len(files) == 1 else folder) / "results.json"
        write_text(gradescope_results(sheet, grade), results)
        write_text(_page(sheet, grade, capture, now), folder / "student.html")
        grades.append(grade)
    write_text(grades_csv(sheet, grades), target / "results.csv")
    write_bytes(grades_junit(sheet, grades), target / "junit.xml")
    write_text(overview_page(sheet, grades), target / "overview.html")
    return grades


def sheets_faults(grades: Sequence[Grade]) -> list[str]:
    """Where a check of the sheet itself failed, a line each, every one once."""
    marks = (mark for grade in grades for mark in grade.marks if mark.is_sheets_fault)
    return list(dict.fromkeys(f"the check {mark.check.name!r}: {mark.why}" for mark in marks))


def _graded(sheet: Sheet, file: str, student: str) -> tuple[Grade, Capture | None]:
    """What a file is worth, and the file loaded."""
    name = Path(file).name or file
    try:
        with cpu_deadline(MOST_CPU_S):
            capture = load_upload(file)
            return Grade(student, name, judge_checks(sheet, capture)), capture
    except CaptureFileError as error:
        why = str(error)
    except OutOfTime:
        why = f"{name} takes more than {MOST_CPU_S:g} s of the processor's time"
    except Exception as error:
        # A fault of the lab's own, which a file may have been made to find: the others are graded.
        why = f"the lab failed on {name}: {type(error).__name__}: {error}"
    return Grade(student, name, refuse_checks(sheet, why), why), None


def _page(sheet: Sheet, grade: Grade, capture: Capture | None, now: datetime) -> str:
    try:
        with cpu_deadline(MOST_CPU_S):
            return student_page(sheet, grade, capture.ladders if capture else (), now)
    except (Exception, OutOfTime) as error:
        # The same, of a picture.
        remark = f"What was handed in could not be drawn: {type(error).__name__}: {error}"
        return student_page(sheet, grade, (), now, remark)


def _make_folder(folder: Path) -> None:
    """Make it, and those above it, where they are missing; under sudo they are the invoker's.

    Raises UsageError.
    """
    check_links(folder)
    try:
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for each in missing:
            give_to_invoker(each)
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder}: {error.strerror}") from None
