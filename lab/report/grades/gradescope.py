"""results.json, as Gradescope documents it.

Source: https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.report.grades.held import held_values
from lab.report.grades.wording import points, said_of
from lab.report.svg.visible import visible, visible_lines

if TYPE_CHECKING:
    from lab.grade.mark import Grade, Mark
    from lab.grade.sheet import Sheet


def gradescope_results(sheet: Sheet, grade: Grade) -> str:
    """The file of one student.

    Every text is plain, and is to be shown as such. When a check is seen is Gradescope's to heed.
    A sheet's largest score has no field there but those of its checks.
    """
    said = (
        f"{sheet.title}: {grade.refused or f'{points(grade.score)} of {points(grade.max_score)}'}"
    )
    if any(mark.check.seen.value != "visible" for mark in grade.marks):
        said = grade.refused or sheet.title
    lines = [visible(said)]
    if grade.built and grade.built.output:
        lines += ["", f"$ {visible(grade.built.command)}", visible_lines(grade.built.output)]
    document = {
        "score": grade.score,
        "output": "\n".join(lines),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        # What is printed beside it has all points, those of hidden checks too.
        "stdout_visibility": "hidden",
        "tests": [_test(mark) for mark in grade.marks],
    }
    if held := held_values(sheet, grade):
        document["extra_data"] = held
    return json.dumps(document, indent=2) + "\n"


def _test(mark: Mark) -> dict[str, Any]:
    return {
        "name": f"{mark.check.name}: {visible(mark.check.sentence)}",
        "score": mark.score,
        "max_score": mark.check.points,
        "status": "passed" if mark.passed else "failed",
        "output": visible_lines(said_of(mark)),
        "visibility": mark.check.seen.value,
    }
