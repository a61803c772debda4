"""Worksheets: which gaps a seed makes, and of what."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
import recorded as r

from lab.errors import UsageError
from lab.results import Result
from lab.run import judged
from lab.study.exercise import Topic
from lab.study.worksheet import Worksheet, make_worksheet


@cache
def run_of(name: str) -> Result:
    return judged(str(r.FOLDER / name))


def sheet(name: str, seed: int, most: int = 16, step: int = 0) -> Worksheet:
    run = run_of(name)
    return make_worksheet(run.timelines[step], run.ladders[step], seed, most)


def test_a_seed_makes_the_same_gaps_and_another_others() -> None:
    assert sheet("traced-tcp4", 1) == sheet("traced-tcp4", 1)
    made = {
        tuple(gap.exercise.text for gap in sheet("traced-tcp4", seed).gaps) for seed in range(9)
    }
    assert len(made) == 9


def test_gaps_are_numbered_as_they_stand_and_every_kind_is_there() -> None:
    made = sheet("traced-tcp4", 4)
    assert [gap.number for gap in made.gaps] == list(range(1, 17))
    rows = [gap.exercise.row for gap in made.gaps]
    assert rows == sorted(rows)
    assert max(Counter(rows).values()) <= 2
    assert {gap.exercise.topic for gap in made.gaps} == set(Topic) - {Topic.NEXT}


@pytest.mark.parametrize("most", [1, 5, 500])
def test_there_are_as_many_as_asked_for_and_no_more_than_there_are(most: int) -> None:
    made = sheet("tcp4", 1, most)
    assert 0 < len(made.gaps) <= most
    assert len({(gap.exercise.event, gap.exercise.topic) for gap in made.gaps}) == len(made.gaps)


def test_a_step_with_nothing_to_ask_says_so() -> None:
    with pytest.raises(UsageError, match="has nothing to fill in"):
        sheet("udp4", 1)
