"""The questions that recorded runs answer."""

from __future__ import annotations

import pytest
import recorded as r

from lab.ladder.brief import brief
from lab.ladder.model import CallRow, FrameRow
from lab.run import judged
from lab.study.exercise import Exercise, Topic
from lab.study.exercises import KINDS_OF_SEGMENTS, exercises_of


def asked_of(name: str, step: int = 0) -> tuple[Exercise, ...]:
    run = judged(str(r.FOLDER / name))
    return exercises_of(run.timelines[step], brief(run.ladders[step]))


def answers(questions: tuple[Exercise, ...], kind: Topic) -> list[str]:
    return [each.answer for each in questions if each.topic is kind]


def test_a_conversation_asks_for_what_its_segments_have() -> None:
    found = asked_of("traced-tcp4")
    assert answers(found, Topic.FLAGS)[:4] == ["SYN", "SYN ACK", "ACK", "PSH ACK"]
    assert answers(found, Topic.SEQ) == ["0", "0", "1", "8", "34", "49", "1", "8", "24", "44"]
    assert answers(found, Topic.ACK)[:3] == ["1", "1", "1"]
    assert answers(found, Topic.LENGTH) == ["7", "26", "15", "7", "16", "20"]
    assert answers(found, Topic.NEXT)[:4] == [
        "client: SYN",
        "server: SYN ACK",
        "client: ACK",
        "client: ACK with data",
    ]


def test_a_state_is_asked_for_where_it_changes() -> None:
    found = asked_of("traced-tcp4")
    of_senders = answers(found, Topic.SENDER_STATE)
    assert of_senders == ["SYN-SENT", "FIN-WAIT-1", "LAST-ACK"]
    assert answers(found, Topic.RECEIVER_STATE) == [
        "SYN-RECEIVED",
        "ESTABLISHED",
        "ESTABLISHED",
        "CLOSE-WAIT",
        "FIN-WAIT-2",
        "TIME-WAIT",
        "CLOSED",
    ]


@pytest.mark.parametrize("name", ["traced-tcp4", "traced-unix4", "traced-udp4", "nat4", "reset4"])
def test_every_question_is_about_the_row_that_it_names(name: str) -> None:
    run = judged(str(r.FOLDER / name))
    for timeline, ladder in zip(run.timelines, run.ladders, strict=True):
        drawn = brief(ladder)
        for question in exercises_of(timeline, drawn):
            row = drawn.rows[question.row]
            assert isinstance(row, FrameRow | CallRow)
            assert row.event == question.event
            assert question.answer
            assert question.text.endswith("?")
            assert not question.choices or question.answer in question.choices


def test_calls_ask_for_what_they_return() -> None:
    found = asked_of("traced-unix4", 1)
    returns = {each.text: each for each in found if each.topic is Topic.RESULT}
    refused = next(each for text, each in returns.items() if "connect(" in text)
    assert refused.answer == "-1 ECONNREFUSED"
    assert "ECONNREFUSED: connect(2), ERRORS" in refused.why
    assert not any("socket(" in text for text in returns)


def test_nothing_is_asked_where_neither_calls_nor_segments_are() -> None:
    assert asked_of("udp4") == ()


def test_the_next_segment_is_among_those_of_both_sides() -> None:
    choices = next(each for each in asked_of("tcp4") if each.topic is Topic.NEXT).choices
    assert set(choices) == {
        f"{side}: {kind}" for side in ("client", "server") for kind in KINDS_OF_SEGMENTS
    }
