"""student.html: what one student reads, with hints and ladders of what was seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lab.grade.check import total
from lab.report.grades.wording import due_line, hint_line, paragraphs, points, shown_marks
from lab.report.html.plain_page import PageSection, plain_page

if TYPE_CHECKING:
    from datetime import datetime

    from lab.grade.mark import Built, Grade, Mark
    from lab.grade.sheet import Sheet


def student_page(sheet: Sheet, grade: Grade, now: datetime) -> str:
    """The page, which refers to nothing outside itself; every text in it is escaped.

    What students may not see at that moment is not in it, nor its points.
    """
    marks = shown_marks(sheet, grade.marks, now)
    failed = [mark for mark in marks if not mark.passed]
    sections = [
        PageSection(
            "What counts", _rows(marks), _classes(marks), notes=[*_notes(sheet, grade, marks)]
        ),
        *([_built(grade.built)] if grade.built and grade.built.output else ()),
        *map(_failure, failed if not grade.refused else ()),
        *_pictures(grade, failed),
        PageSection("What is to be handed in", notes=paragraphs(sheet.handed_in)),
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
    yield f"Handed in: {grade.file}."
    if due := due_line(sheet):
        yield due
    if grade.refused:
        yield f"Nothing of it could be judged: {grade.refused}"
    if len(marks) < len(grade.marks):
        yield "There are more checks than are shown here; their points are not in this score."


def _built(built: Built) -> PageSection:
    """What the compiler said."""
    said = "It could not be built" if built.has_failed else "It was built"
    return PageSection(f"{said} ({built.language})", text=f"$ {built.command}\n{built.output}")


def _failure(mark: Mark) -> PageSection:
    rows = [("", "expected", "was")]
    rows += [(each.what, each.expected, each.actual) for each in mark.compared]
    notes = [mark.check.sentence, f"{mark.outcome.value}: {mark.why}"]
    notes += [*mark.ended, *map(hint_line, mark.told)]
    notes += [f"Source: {mark.check.source}"] if mark.check.source else []
    return PageSection(mark.check.name, rows if mark.compared else (), notes=notes)


def _pictures(grade: Grade, failed: Sequence[Mark]) -> Iterator[PageSection]:
    """Of captures all; of trials those that something failed in that is shown."""
    wanted = {trial.name for mark in failed for trial in mark.check.trials}
    for each in grade.pictures:
        if each.trial in wanted or not each.trial:
            yield PageSection(each.title, picture=each.drawing, text=each.text, notes=each.notes)
