"""student.html: what one student is told, with hints and the ladder of what was handed in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lab.grade.sheet import total
from lab.ladder.steps import number_of_frames
from lab.report.grades.wording import due_line, points, shown_marks
from lab.report.html.plain_page import PageSection, plain_page
from lab.report.svg.ladder import draw_svg
from lab.scene.build import build_scene

if TYPE_CHECKING:
    from datetime import datetime

    from lab.grade.mark import Grade, Mark
    from lab.grade.sheet import Sheet
    from lab.ladder.model import Ladder

MOST_LADDERS = 5
MOST_FRAMES_DRAWN = 300
"""Of one ladder: a longer one is no picture any more."""


def student_page(
    sheet: Sheet, grade: Grade, ladders: Sequence[Ladder], now: datetime, remark: str = ""
) -> str:
    """The page, which refers to nothing outside itself; every text in it is escaped.

    What students may not see at that moment is not in it, nor its points. A `remark` stands below.
    """
    marks = shown_marks(sheet, grade.marks, now)
    sections = [
        PageSection(
            "What counts", _rows(marks), _classes(marks), notes=[*_notes(sheet, grade, marks)]
        ),
        *map(_failure, (mark for mark in marks if not mark.passed and not grade.refused)),
        *_pictures(ladders),
        *([PageSection("The picture", notes=[remark])] if remark else ()),
    ]
    score = total(mark.score for mark in marks)
    most = total(mark.check.points for mark in marks)
    question = f"{grade.student}: {points(score)} of {points(most)}"
    return plain_page(sheet.title, question, "", sections)


def _rows(marks: Sequence[Mark]) -> list[tuple[str, ...]]:
    return [
        ("check", "what is expected", "", "points", "of"),
        *(
            (
                mark.check.name,
                mark.check.sentence,
                "passed" if mark.passed else mark.outcome.value,
                points(mark.score),
                points(mark.check.points),
            )
            for mark in marks
        ),
    ]


def _classes(marks: Sequence[Mark]) -> list[str]:
    return ["second" if mark.passed else "first" for mark in marks]


def _notes(sheet: Sheet, grade: Grade, marks: Sequence[Mark]) -> Iterator[str]:
    yield f"Handed in: {grade.file}. {sheet.handed_in}"
    if due := due_line(sheet):
        yield due
    if grade.refused:
        yield f"Nothing of it could be judged: {grade.refused}"
    if len(marks) < len(grade.marks):
        yield "There are more checks than are shown here; their points are not in this score."


def _failure(mark: Mark) -> PageSection:
    rows = [("", "expected", "was")]
    rows += [(each.what, each.expected, each.actual) for each in mark.compared]
    notes = [mark.check.sentence, f"{mark.outcome.value}: {mark.why}"]
    notes += [f"Hint: {mark.check.hint}"] if mark.check.hint else []
    notes += [f"Source: {mark.check.source}"] if mark.check.source else []
    return PageSection(mark.check.name, rows if mark.compared else (), notes=notes)


def _pictures(ladders: Sequence[Ladder]) -> Iterator[PageSection]:
    for number, ladder in enumerate(ladders[:MOST_LADDERS], 1):
        title = f"What was recorded, flow {number} of {len(ladders)}"
        ends = " and ".join(lane.name for lane in ladder.lanes)
        if len(ladder.rows) > MOST_FRAMES_DRAWN:
            said = f"{ends}: {number_of_frames(ladder)}, too many to be drawn here"
            yield PageSection(title, notes=[said])
        else:
            drawn = draw_svg(ends, [("", build_scene(ladder))], with_style=False)
            yield PageSection(title, picture=drawn)
    if len(ladders) > MOST_LADDERS:
        rest = len(ladders) - MOST_LADDERS
        yield PageSection("More flows", notes=[f"The file has {rest} more, which are not drawn."])
