"""results.csv: a line for each student."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.report.svg.visible import visible

if TYPE_CHECKING:
    from lab.grade.mark import Grade
    from lab.grade.sheet import Sheet

FORMULA = frozenset("=+-@\t\r\n|%")
"""What a spreadsheet takes the rest of a cell for a formula or a command behind.

Source: https://owasp.org/www-community/attacks/CSV_Injection
"""


def grades_csv(sheet: Sheet, grades: Sequence[Grade]) -> str:
    """The file: student, file, score, max_score, the points of each check, and what went wrong.

    A text that a spreadsheet would execute has an apostrophe before it. Source: RFC 4180.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    checks = [check.name for check in sheet.checks]
    writer.writerow(["student", "file", "score", "max_score", *checks, "remarks"])
    for grade in grades:
        points = [mark.score for mark in grade.marks]
        remarks = _cell(remarks_on(grade))
        names = _cell(grade.student), _cell(grade.file)
        writer.writerow([*names, grade.score, grade.max_score, *points, remarks])
    return file.getvalue()


def remarks_on(grade: Grade) -> str:
    """Why nothing could be judged, or what of it is undecided; "" where there is nothing to say."""
    if grade.refused:
        return grade.refused
    undecided: dict[str, list[str]] = {}
    for mark in grade.marks:
        if mark.is_undecided:
            undecided.setdefault(mark.why, []).append(mark.check.name)
    return "; ".join(f"undecided: {', '.join(names)}: {why}" for why, names in undecided.items())


def _cell(text: str) -> str:
    return f"'{visible(text)}" if text[:1] in FORMULA else visible(text)
