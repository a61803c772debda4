"""What grades are written as: a folder for each student, and files about all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.grade.naming import folder_names
from lab.grading.kept import write_whole
from lab.recording.artifacts import check_links, give_to_invoker
from lab.report.grades.csv_file import grades_csv
from lab.report.grades.gradescope import gradescope_results
from lab.report.grades.junit_file import grades_junit
from lab.report.grades.overview_page import overview_page
from lab.report.grades.student_page import student_page

if TYPE_CHECKING:
    from lab.grade.mark import Grade
    from lab.grade.sheet import Sheet

STUDENTS = "students"
"""The folder that has one for each student."""


def write_outputs(sheet: Sheet, grades: Sequence[Grade], target: Path, now: datetime) -> None:
    """Write all of them below `target`, each file whole or as it was before.

    `now` decides what students may see on their pages. Raises UsageError.
    """
    for grade, name in zip(grades, folder_names([each.student for each in grades]), strict=True):
        folder = target / STUDENTS / name
        make_folder(folder)
        results = (target if len(grades) == 1 else folder) / "results.json"
        _write(gradescope_results(sheet, grade), results)
        _write(student_page(sheet, grade, now), folder / "student.html")
    _write(grades_csv(sheet, grades), target / "results.csv")
    write_whole(grades_junit(sheet, grades), target / "junit.xml")
    _write(overview_page(sheet, grades), target / "overview.html")


def make_folder(folder: Path) -> None:
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


def _write(text: str, target: Path) -> None:
    write_whole(text.encode("utf-8"), target)
