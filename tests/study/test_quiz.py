"""The quiz: what is shown beside a question, which answers are right, and the score."""

from __future__ import annotations

from functools import cache

import pytest
import recorded as r

from lab.analysis.timeline import Timeline
from lab.ladder.model import FrameRow, Ladder
from lab.run import judged
from lab.study.exercise import Topic
from lab.study.quiz import (
    MOST_CHOICES,
    ROWS_SHOWN,
    Item,
    Quiz,
    answers,
    how_to_answer,
    make_quiz,
)


@cache
def steps() -> list[tuple[Timeline, Ladder]]:
    runs = [judged(str(r.FOLDER / name)) for name in ("traced-tcp4", "traced-unix4")]
    return [pair for run in runs for pair in zip(run.timelines, run.ladders, strict=True)]


@cache
def quiz(*kinds: Topic, most: int = 40, seed: int = 1) -> Quiz:
    return make_quiz(steps(), most, seed, kinds)


def item(kind: Topic, answer: str) -> Item:
    return next(each for each in quiz(kind, most=500).items if each.exercise.answer == answer)


@pytest.mark.parametrize(
    ("kind", "answer", "typed", "is_right"),
    [
        (Topic.FLAGS, "SYN ACK", "syn-ack", True),
        (Topic.FLAGS, "SYN ACK", "ACK, SYN", True),
        (Topic.FLAGS, "SYN ACK", "SYN", False),
        (Topic.FLAGS, "PSH ACK", "ack", True),
        (Topic.FLAGS, "PSH ACK", "PSH|ACK", True),
        (Topic.FLAGS, "PSH ACK", "psh", False),
        (Topic.FLAGS, "SYN", "", False),
        (Topic.SEQ, "34", " 34 ", True),
        (Topic.SEQ, "34", "33", False),
        (Topic.SENDER_STATE, "FIN-WAIT-1", "fin_wait 1", True),
        (Topic.SENDER_STATE, "FIN-WAIT-1", "FIN-WAIT-2", False),
        (Topic.RESULT, "-1 ECONNREFUSED", "econnrefused", True),
        (Topic.RESULT, "-1 ECONNREFUSED", "-1 ECONNREFUSED", True),
        (Topic.RESULT, "-1 ECONNREFUSED", "-1", False),
        (Topic.RESULT, "0", "0", True),
        (Topic.RESULT, "0", "", False),
    ],
)
def test_an_answer_is_right_however_it_is_written(
    kind: Topic, answer: str, typed: str, is_right: bool
) -> None:
    assert answers(item(kind, answer), typed) is is_right


@pytest.mark.parametrize(
    ("kind", "answer", "none", "wrong"),
    [
        (Topic.FLAGS, "SYN ACK", ("", "?", "b", "SYN 4 NOTHING"), ("FIN", "rst,psh")),
        (Topic.SEQ, "34", ("", "?", "SYN", "3 4"), ("0", "=35")),
        (Topic.SENDER_STATE, "FIN-WAIT-1", ("", "?", "c", "OPEN"), ("closed", "time wait")),
        (Topic.RESULT, "0", ("", "?", "no"), ("7", "-1", "EAGAIN", "-1 eagain", "= 3")),
        (Topic.NEXT, "server: SYN ACK", ("", "?", "5", "z"), ("a", "B)")),
    ],
)
def test_what_cannot_be_an_answer_is_told_from_what_is_wrong(
    kind: Topic, answer: str, none: tuple[str, ...], wrong: tuple[str, ...]
) -> None:
    asked = item(kind, answer)
    for typed in none:
        assert how_to_answer(asked, typed).startswith("An answer here is "), typed
    for typed in (*wrong, asked.exercise.answer):
        assert how_to_answer(asked, typed) == "", typed


def test_a_choice_is_named_by_its_letter_or_its_words() -> None:
    asked = item(Topic.NEXT, "server: SYN ACK")
    letter = next(name for name, choice in asked.lettered if choice == "server: SYN ACK")
    assert len(asked.lettered) == MOST_CHOICES
    for typed in (letter, f"{letter.upper()})", "Server: syn ack"):
        assert answers(asked, typed)
    for other in {name for name, _ in asked.lettered} - {letter}:
        assert not answers(asked, other)


def test_what_comes_next_is_not_shown_yet() -> None:
    for each in quiz(Topic.NEXT).items:
        assert all(getattr(row, "event", None) != each.exercise.event for row in each.ladder.rows)


@pytest.mark.parametrize("kind", [kind for kind in Topic if kind is not Topic.NEXT])
def test_the_row_that_is_asked_about_is_the_last_and_has_a_blank(kind: Topic) -> None:
    for each in quiz(kind).items:
        assert len(each.ladder.rows) <= ROWS_SHOWN
        last = each.ladder.rows[-1]
        assert getattr(last, "event", None) == each.exercise.event
        assert "____" in repr(last)
        if isinstance(last, FrameRow) and kind is Topic.FLAGS:
            assert each.exercise.answer not in last.text


def test_it_counts_what_was_answered() -> None:
    asked = quiz(Topic.FLAGS, most=3, seed=7)
    first, *others = asked.items
    asked.answer(first, "SYN FIN")
    for each in others:
        asked.answer(each, each.exercise.answer)
    assert (asked.right, asked.answered) == (2, 3)


def test_a_seed_asks_the_same_and_every_kind_as_often() -> None:
    asked = [each.exercise for each in quiz(most=16).items]
    assert asked == [each.exercise for each in quiz(most=16).items]
    assert {each.topic for each in asked} == set(Topic)
    assert asked != [each.exercise for each in quiz(most=16, seed=2).items]
