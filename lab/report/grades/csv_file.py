"""results.csv: a line for each student."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.grade.check import COLUMNS
from lab.report.svg.visible import visible

if TYPE_CHECKING:
    from lab.grade.mark import Grade
    from lab.grade.sheet import Sheet

FORMULA = frozenset("=+-@\t\r\n|%＝＋－＠")
"""What a spreadsheet takes the rest of a cell for a formula or a command behind.

Source: https://owasp.org/www-community/attacks/CSV_Injection
"""


_BEHIND_SEMICOLON = re.compile(rf";(?=\s*[{re.escape(''.join(sorted(FORMULA)))}])")


def grades_csv(sheet: Sheet, grades: Sequence[Grade]) -> str:
    """The file: student, file, score, max_score, the points of each check, and what went wrong.

    A text that a spreadsheet would execute has an apostrophe before it. Source: RFC 4180.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    checks = [check.name for check in sheet.checks]
    *first, last = COLUMNS
    writer.writerow([*first, *checks, last])
    for grade in grades:
        points = [mark.score for mark in grade.marks]
        remarks = _cell(remarks_on(grade))
        names = _cell(grade.student), _cell(grade.file)
        writer.writerow([*names, grade.score, grade.max_score, *points, remarks])
    return file.getvalue()


def remarks_on(grade: Grade) -> str:
    """Why nothing could be judged, what of it is undecided, and what shows; "" for nothing."""
    said = [grade.late] if grade.late else []
    if grade.refused:
        return "; ".join((*said, grade.refused))
    if grade.built and grade.built.has_failed:
        said.append(f"could not be built ({grade.built.language})")
    said += grade.misconceptions
    undecided: dict[str, list[str]] = {}
    for mark in grade.marks:
        if mark.is_undecided:
            undecided.setdefault(mark.why, []).append(mark.check.name)
    said += [f"undecided: {', '.join(names)}: {why}" for why, names in undecided.items()]
    return "; ".join(said)


def _cell(text: str) -> str:
    # Where a semicolon parts cells, what is behind it is one more.
    shown = _BEHIND_SEMICOLON.sub(r"\\x3b", visible(text))
    return f"'{shown}" if text[:1] in FORMULA else shown
