"""Worksheets as pages: the sheet asks, the key answers."""

from __future__ import annotations

import re

import pytest
import recorded as r

from lab.report.study.worksheet_page import key_page, worksheet_page
from lab.run import judged
from lab.study.exercise import Topic
from lab.study.worksheet import make_worksheet


def pages(seed: int, name: str = "traced-tcp4") -> tuple[str, str, list[tuple[int, str, str]]]:
    run = judged(str(r.FOLDER / name))
    sheets = [
        make_worksheet(timeline, ladder, seed)
        for timeline, ladder in zip(run.timelines, run.ladders, strict=True)
    ]
    gaps = [
        (gap.number, gap.exercise.text, gap.exercise.answer) for each in sheets for gap in each.gaps
    ]
    title = run.heading
    return worksheet_page(title, run.lesson, sheets), key_page(title, run.lesson, sheets), gaps


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_gap_is_in_the_picture_and_asked_for_below(seed: int) -> None:
    sheet, key, gaps = pages(seed)
    picture = "".join(re.findall(r"<svg.*?</svg>", sheet, re.DOTALL))
    for number, _, answer in gaps:
        assert f"({number})____" in picture
        assert re.search(rf"<p class=\"quiet\">\({number}\) [^<]*  ____", sheet)
        assert f"<td>{answer}</td>" in key


def test_the_sheet_has_the_question_and_not_its_answer() -> None:
    run = judged(str(r.FOLDER / "traced-tcp4"))
    sheet, key, _ = pages(1)
    assert run.lesson is not None
    assert run.lesson.question in sheet
    assert run.lesson.answer not in sheet
    assert run.lesson.answer in key


def test_a_state_that_is_asked_for_is_not_named_where_it_lasts() -> None:
    run = judged(str(r.FOLDER / "traced-tcp4"))
    made = make_worksheet(run.timelines[0], run.ladders[0], 1, 500)
    asked = {gap.exercise.answer for gap in made.gaps if gap.exercise.topic is Topic.SENDER_STATE}
    assert "FIN-WAIT-1" in asked
    picture = worksheet_page("x", None, [made]).partition("<svg")[2].partition("</svg>")[0]
    assert "FIN-WAIT-1" not in picture
