from __future__ import annotations

import pytest

from lab.ladder.likeness import Likeness
from lab.ladder.model import CallLabel, CallRow, EventRow, Part
from lab.ladder.repetition import (
    FEWEST_TIMES,
    FIRST_ROWS,
    LAST_ROWS,
    LONGEST_PATTERN,
    Elided,
    without_repetition,
)
from lab.model.event import EventId, EventKind


def call_row(place: int, letter: str) -> CallRow:
    event = EventId(EventKind.SYSTEM_CALL, place, letter)
    return CallRow(
        event, 0, Part.WHOLE, place, False, CallLabel(1), letter, "", letter, "0", False, 0, ""
    )


def folded(text: str) -> list[str]:
    """Rows of letters: capitals are like small ones but say another thing, "." is like nothing."""
    rows = [call_row(n, each) for n, each in enumerate(text)]

    def likeness(row: EventRow) -> Likeness:
        letter = row.event.program
        return Likeness(None if letter == "." else letter.lower(), letter)

    kept = without_repetition(rows, likeness)
    hidden = [each.rows if isinstance(each, Elided) else (each,) for each in kept]
    assert [row for rows in hidden for row in rows] == rows
    return [each.text if isinstance(each, Elided) else each.event.program for each in kept]


def test_of_a_run_the_first_and_the_last_are_drawn() -> None:
    assert folded("x" + "a" * 300 + "y") == ["x", "a", "... 298 times more", "a", "y"]


def test_a_pattern_is_folded_as_a_whole() -> None:
    assert folded("x" + "dar" * 10 + "da") == [
        *("x", "d", "a", "r", "... these 3 events 8 times more", "d", "a", "r", "d", "a"),
    ]


def test_what_differs_in_numbers_is_marked_so() -> None:
    assert folded("aaaaaAaa")[1] == "... 6 times more, with other numbers or bytes"


@pytest.mark.parametrize("pattern", ["a", "ab", "abcdefghijkl"])
def test_what_comes_seldom_is_drawn_each_time(pattern: str) -> None:
    seldom = pattern * (FEWEST_TIMES - 1)
    assert folded(seldom) == list(seldom)
    assert len(folded(pattern * FEWEST_TIMES)) == 2 * len(pattern) + 1


def test_a_pattern_may_be_too_long_to_be_one() -> None:
    pattern = "".join(chr(ord("a") + n) for n in range(LONGEST_PATTERN + 1))
    assert folded(pattern * 9) == list(pattern * 9)


def test_what_is_to_be_drawn_always_is_never_folded() -> None:
    assert folded("." * 50) == ["."] * 50
    assert folded("aaa.aaa") == list("aaa.aaa")


def test_what_is_too_long_loses_its_middle() -> None:
    most = FIRST_ROWS + LAST_ROWS
    assert folded("." * most) == ["."] * most
    # A line that tells of one line saves nothing.
    assert folded("." * (most + 1)) == ["."] * (most + 1)
    shown = folded("." * (most + 30))
    assert shown[FIRST_ROWS] == "... 30 lines left out; report.json has them"
    assert len(shown) == most + 1


def test_a_fold_in_the_middle_is_left_out_with_all_its_rows() -> None:
    rows = folded("." * FIRST_ROWS + "a" * 100 + "." * LAST_ROWS)
    assert rows[FIRST_ROWS] == "... 3 lines left out; report.json has them"


def test_nothing_is_nothing() -> None:
    assert folded("") == []
