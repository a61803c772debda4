"""A worksheet as a page to be printed, and its key as another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lab.report.html.plain_page import PageSection, plain_page
from lab.report.svg.ladder import draw_svg
from lab.scene.build import build_scene

if TYPE_CHECKING:
    from lab.model.lesson import Lesson
    from lab.study.worksheet import Worksheet


BLANK = "_" * 18
"""To write on, below the ladder: a gap in it is small on paper."""


def worksheet_page(title: str, lesson: Lesson | None, sheets: Sequence[Worksheet]) -> str:
    """The page for students: it has the questions and none of the answers."""
    return plain_page(title, _question(title, lesson), "", [*_beginning(lesson), *_steps(sheets)])


def key_page(title: str, lesson: Lesson | None, sheets: Sequence[Worksheet]) -> str:
    """The page for teachers: what is to be filled in, and why."""
    heading = f"Key: {_question(title, lesson)}"
    sections = []
    for sheet in sheets:
        rows = [("gap", "what is asked", "answer", "why")]
        rows += [
            (f"({gap.number})", gap.exercise.text, gap.exercise.answer, gap.exercise.why)
            for gap in sheet.gaps
        ]
        sections.append(PageSection(f"Step: {sheet.step}", rows))
    if lesson is not None:
        sections.append(PageSection("The question", notes=[lesson.answer]))
    return plain_page(title, heading, "", sections)


def _question(title: str, lesson: Lesson | None) -> str:
    return title if lesson is None else lesson.question


def _beginning(lesson: Lesson | None) -> Iterator[PageSection]:
    notes = ["Name: ______________________________   Date: ________________"]
    if lesson is not None:
        notes.append(f"Predict: {lesson.predict}")
    yield PageSection("Before you begin", notes=notes)


def _steps(sheets: Sequence[Worksheet]) -> Iterator[PageSection]:
    for sheet in sheets:
        drawn = draw_svg(sheet.step, [("", build_scene(sheet.ladder))], with_style=False)
        asks = [f"({gap.number})  {gap.exercise.text}  {BLANK}" for gap in sheet.gaps]
        yield PageSection("Fill in", picture=drawn, notes=asks)
