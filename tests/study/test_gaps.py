"""Gaps in a ladder: the answer is nowhere in the row, nor in what is drawn of it."""

from __future__ import annotations

import re

import pytest
import recorded as r

from lab.ladder.brief import brief
from lab.ladder.model import CallRow, FrameKind, FrameRow, Ladder
from lab.report.terminal.drawing.ladder import draw_ladder
from lab.report.terminal.drawing.style import Style
from lab.run import judged
from lab.study.exercise import Exercise, Topic
from lab.study.exercises import exercises_of, segment_of_event
from lab.study.gaps import Gap, with_gaps


def blank(name: str, kind: Topic, which: int = 0) -> tuple[Ladder, Ladder, Exercise]:
    """The ladder, the same with one gap, and what that asks."""
    run = judged(str(r.FOLDER / name))
    timeline, drawn = run.timelines[0], brief(run.ladders[0])
    found = [each for each in exercises_of(timeline, drawn) if each.topic is kind]
    question = found[which]
    return drawn, with_gaps(drawn, [Gap(3, question)], segment_of_event(timeline)), question


@pytest.mark.parametrize(
    ("kind", "which", "text"),
    [
        (Topic.FLAGS, 1, "(3)____ seq=0 ack=1 win=43440"),
        (Topic.SEQ, 3, "PSH ACK seq=(3)____ ack=1 len=26"),
        (Topic.ACK, 1, "ACK seq=1 ack=(3)____"),
        (Topic.LENGTH, 1, "PSH ACK seq=8 ack=1 len=(3)____"),
    ],
)
def test_a_segments_text_has_a_blank(kind: Topic, which: int, text: str) -> None:
    _, made, question = blank("traced-tcp4", kind, which)
    row = made.rows[question.row]
    assert isinstance(row, FrameRow)
    assert row.text == text


def test_the_colour_does_not_tell_flags_nor_the_bytes_their_number() -> None:
    _, made, question = blank("traced-tcp4", Topic.FLAGS)
    row = made.rows[question.row]
    assert isinstance(row, FrameRow)
    assert row.kind is FrameKind.OTHER
    _, made, question = blank("traced-tcp4", Topic.LENGTH)
    row = made.rows[question.row]
    assert isinstance(row, FrameRow)
    assert row.payload == b""


def test_a_state_is_blank_for_as_long_as_it_lasts() -> None:
    before, made, question = blank("traced-tcp4", Topic.RECEIVER_STATE, 1)
    assert question.answer == "ESTABLISHED"
    lane = before.rows[question.row].target
    for old, new in zip(before.rows, made.rows, strict=True):
        if isinstance(old, FrameRow) and isinstance(new, FrameRow) and old.is_segment:
            for end, state in (("sender", old.sender_state), ("receiver", old.receiver_state)):
                where = old.source if end == "sender" else old.target
                shown = getattr(new, f"{end}_state")
                hidden = where == lane and state == "ESTABLISHED"
                assert shown == ("(3)____" if hidden else state)


def test_a_call_does_not_say_what_it_returned() -> None:
    _, made, question = blank("traced-unix4", Topic.RESULT, 3)
    row = made.rows[question.row]
    assert isinstance(row, CallRow)
    assert row.result == "(3)____"
    drawn = [line.plain for line in draw_ladder(made, Style(80, False))]
    assert sum("(3)____" in line for line in drawn) == 1


def test_all_else_stays() -> None:
    before, made, question = blank("traced-tcp4", Topic.SEQ, 2)
    others = [place for place in range(len(before.rows)) if place != question.row]
    assert [before.rows[place] for place in others] == [made.rows[place] for place in others]
    assert not re.search("____", " ".join(map(repr, (made.rows[place] for place in others))))
