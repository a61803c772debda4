"""A worksheet: a step's ladder with gaps to fill in, and its key."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.frozen import frozen
from lab.ladder.brief import brief
from lab.ladder.model import CallRow, Ladder, Part, Row
from lab.study.exercise import Exercise, Topic
from lab.study.exercises import exercises_of, segment_of_event
from lab.study.gaps import FIELDS, STATES, Gap, with_gaps
from lab.study.turns import in_turn

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline

MOST_ROWS = 60
"""Of a ladder that fits on paper."""
USUAL_GAPS = 16


@frozen
class Worksheet:
    """One step of a run, with gaps."""

    step: str
    ladder: Ladder
    """With "(3)____" wherever a gap is."""
    gaps: tuple[Gap, ...]


def make_worksheet(
    timeline: Timeline, ladder: Ladder, seed: int, most: int = USUAL_GAPS
) -> Worksheet:
    """The step's ladder with `most` gaps at most, other ones with another seed.

    Each kind of question is asked about as often as the others. Raises UsageError where the step
    answers none.
    """
    short = brief(ladder, MOST_ROWS)
    asked = [
        each for each in exercises_of(timeline, short) if _can_be_blank(each, short.rows[each.row])
    ]
    if not asked:
        raise UsageError(
            f"the step {timeline.step!r} has nothing to fill in: neither TCP segments nor calls"
        )
    chosen = sorted(_chosen(asked, random.Random(seed), most), key=asked.index)
    gaps = tuple(Gap(number, each) for number, each in enumerate(chosen, 1))
    segments = segment_of_event(timeline)
    return Worksheet(timeline.step, with_gaps(short, gaps, segments), gaps)


def _can_be_blank(exercise: Exercise, row: Row) -> bool:
    """Whether the answer stands in a ladder's picture: results do of calls that are one row."""
    if isinstance(row, CallRow):
        return row.part is Part.WHOLE
    return exercise.topic in FIELDS or exercise.topic in STATES


def _chosen(asked: Sequence[Exercise], chance: random.Random, most: int) -> Iterable[Exercise]:
    """Of each kind in turn one by chance, until there are enough; at most two of a row."""
    piles = {kind: [each for each in asked if each.topic is kind] for kind in Topic}
    for pile in piles.values():
        chance.shuffle(pile)
    return in_turn(piles.values(), most, _has_room_in_its_row)


def _has_room_in_its_row(found: Sequence[Exercise], each: Exercise) -> bool:
    return sum(other.row == each.row for other in found) < 2
