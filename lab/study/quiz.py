"""A quiz: questions from recorded runs, asked in turn, and the score."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags
from lab.analysis.tcp.state import State
from lab.frozen import frozen
from lab.ladder.brief import brief
from lab.study.exercise import Exercise, Topic
from lab.study.exercises import exercises_of, segment_of_event
from lab.study.gaps import STATES, Gap, with_gaps
from lab.study.turns import in_turn

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline
    from lab.ladder.model import Ladder

ROWS_SHOWN = 12
"""Of the ladder, up to the place that is asked about."""
MOST_CHOICES = 5
_LETTERS = "abcdefghij"


@frozen
class Item:
    """One question of a quiz, with what is seen beside it."""

    exercise: Exercise
    ladder: Ladder
    """As far as it may be shown: the answer is blank, or not there yet."""

    @property
    def lettered(self) -> tuple[tuple[str, str], ...]:
        """The choices, each with its letter."""
        return tuple(zip(_LETTERS, self.exercise.choices, strict=False))


class Quiz:
    """Some questions, and how many were answered rightly."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = tuple(items)
        self.right = 0
        self.answered = 0

    def answer(self, item: Item, typed: str) -> bool:
        """Whether what was typed answers it; it counts."""
        is_right = answers(item, typed)
        self.answered += 1
        self.right += is_right
        return is_right


def make_quiz(
    steps: Sequence[tuple[Timeline, Ladder]], most: int, seed: int, kinds: Sequence[Topic] = ()
) -> Quiz:
    """`most` questions at most about the steps, each kind as often as the others.

    In the order of the runs, so that what is asked was not shown before. Equal for equal seeds.
    """
    chance = random.Random(seed)
    piles: dict[Topic, list[tuple[int, Exercise]]] = {kind: [] for kind in kinds or Topic}
    ladders = [brief(ladder) for _, ladder in steps]
    for number, (timeline, _) in enumerate(steps):
        for exercise in exercises_of(timeline, ladders[number]):
            if exercise.topic in piles:
                piles[exercise.topic].append((number, exercise))
    for pile in piles.values():
        chance.shuffle(pile)
    found = in_turn(piles.values(), most)
    found.sort(key=lambda each: (each[0], each[1].row))
    return Quiz([_item(steps[number][0], ladders[number], each, chance) for number, each in found])


def _item(timeline: Timeline, ladder: Ladder, exercise: Exercise, chance: random.Random) -> Item:
    if exercise.choices:
        others = [each for each in exercise.choices if each != exercise.answer]
        choices = [exercise.answer, *chance.sample(others, min(MOST_CHOICES - 1, len(others)))]
        exercise = replace(exercise, choices=tuple(sorted(choices)))
    blank = with_gaps(ladder, [Gap(0, exercise)], segment_of_event(timeline))
    end = exercise.row if exercise.topic is Topic.NEXT else exercise.row + 1
    rows = blank.rows[max(0, end - ROWS_SHOWN) : end]
    return Item(exercise, replace(blank, rows=rows, background=(), violations=()))


def answers(item: Item, typed: str) -> bool:
    """Whether what was typed is the answer, in whatever way people write it."""
    exercise, typed = item.exercise, typed.strip()
    if exercise.choices:
        chosen = dict(item.lettered).get(typed.lower().rstrip(".)"), typed)
        return chosen.lower() == exercise.answer.lower()
    if exercise.topic is Topic.FLAGS:
        return _flags(typed) == _flags(exercise.answer)
    if exercise.topic in STATES:
        return _state(typed) == exercise.answer
    said, answer = typed.upper().lstrip("=").split(), exercise.answer.split()
    # "-1 EAGAIN": the errno's name says as much.
    return said in (answer, answer[1:]) if len(answer) > 1 else said == answer


def how_to_answer(item: Item, typed: str) -> str:
    """How an answer is written, where what was typed can be none; "" where it can."""
    exercise, typed = item.exercise, typed.strip()
    if exercise.choices:
        letters = {letter for letter, _ in item.lettered}
        names = {choice.lower() for choice in exercise.choices}
        can_be = typed.lower().rstrip(".)") in letters or typed.lower() in names
        how = f"a letter, {min(letters)} to {max(letters)}"
    elif exercise.topic is Topic.FLAGS:
        words = re.findall(r"[A-Z]+", typed.upper())
        can_be = bool(words) and {*words} <= TcpFlags.__members__.keys()
        how = "the flags in any order, such as SYN ACK"
    elif exercise.topic in STATES:
        can_be = _state(typed) in {state.value for state in State}
        how = f"one of {', '.join(state.value for state in State)}"
    elif exercise.topic is Topic.RESULT:
        can_be = bool(re.fullmatch(r"=?\s*(-?\d+|(-1\s+)?E[A-Z0-9]+)", typed, re.IGNORECASE))
        how = "a number, or the error's name, such as EAGAIN"
    else:
        can_be = typed.lstrip("=").strip().isdecimal()
        how = "a number"
    return "" if can_be else f"An answer here is {how}."


def _state(text: str) -> str:
    return re.sub(r"[\s_-]+", "-", text.upper())


def _flags(text: str) -> frozenset[str]:
    """The flags that are named; PSH and ECN's say nothing of what a segment is for."""
    words = re.split(r"[^A-Z]+", text.upper())
    return frozenset(words) - {"", "PSH", "ECE", "CWR"}
