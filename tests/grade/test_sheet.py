from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lab.errors import PointedError, UsageError
from lab.expect.expectations import Expectations
from lab.grade.sheet import Check, Sheet, Visibility, total


def both_speak(capture: Expectations) -> None:
    """Each side sends something.

    More of it, for teachers.
    """
    capture.tcp().bytes(client=1, server=1)


def says_nothing(capture: Expectations) -> None:
    capture.no_reset()


OPENS = Check("opens", 2, "handshake", hint="begin before you connect")
SHEET = Sheet("A talk", "A capture.", (OPENS, Check("speaks", 0.5, both_speak)))


def test_a_sheet_knows_its_checks_and_their_points() -> None:
    assert SHEET.max_score == 2.5
    assert SHEET.check("opens") is OPENS
    assert SHEET.due is None
    assert OPENS.seen is Visibility.VISIBLE


def test_the_sentence_is_of_the_words_or_of_the_function() -> None:
    assert OPENS.sentence == "Each TCP connection opens with SYN, SYN-ACK and ACK."
    assert OPENS.source == "RFC 9293, 3.5"
    speaks = SHEET.check("speaks")
    assert (speaks.sentence, speaks.source) == ("Each side sends something.", "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "its name has small letters"),
        ({"name": "Opens"}, "'Opens'"),
        ({"name": "../x"}, "its name has small letters"),
        ({"name": "a--b"}, "its name has small letters"),
        ({"name": "opens\n"}, "its name has small letters"),
        ({"name": 3}, "is called 3"),
        ({"name": "score"}, "as a column of results.csv is"),
        ({"points": 0}, "worth 0: points are a number above 0"),
        ({"points": -1}, "a number above 0"),
        ({"points": float("nan")}, "a number above 0"),
        ({"points": float("inf")}, "a number above 0"),
        ({"points": True}, "a number above 0"),
        ({"points": "2"}, "a number above 0"),
        ({"points": 10_001}, "10,000 at most"),
        ({"hint": None}, "is no text"),
        ({"visibility": "hiden"}, "did you mean 'hidden'"),
        ({"visibility": None}, "one of visible, hidden"),
        ({"expects": 7}, "write words"),
        ({"expects": says_nothing}, "has no docstring"),
    ],
)
def test_a_wrong_check_is_refused_with_the_reason(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        replace(OPENS, **changes)
    assert said in str(refused.value)


def test_a_mistake_in_the_words_is_pointed_at() -> None:
    with pytest.raises(PointedError, match="did you mean 'no-reset'"):
        Check("reset", 1, "no-rest")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": " "}, "title is no text"),
        ({"handed_in": ""}, "handed_in is no text"),
        ({"checks": ()}, "nothing to score"),
        ({"checks": iter((OPENS,))}, "no tuple, nor a list"),
        ({"checks": (OPENS, OPENS)}, "two checks called 'opens'"),
        ({"checks": (OPENS, "no-reset")}, "that is no Check: 'no-reset'"),
        ({"deadline": "tomorrow"}, "no date and time"),
        ({"deadline": "2026-12-01T23:59"}, "no time zone"),
        ({"deadline": 7}, "no date and time: 7"),
        ({"checks": (replace(OPENS, visibility="after_due_date"),)}, "and no deadline"),
    ],
)
def test_a_wrong_sheet_is_refused_with_the_reason(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        replace(SHEET, **changes)
    assert said in str(refused.value)


def test_an_unknown_check_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'opens'\?; it has opens, speaks"):
        SHEET.check("open")


@pytest.mark.parametrize(
    ("visibility", "before", "behind"),
    [
        ("visible", True, True),
        (Visibility.HIDDEN, False, False),
        ("after_due_date", False, True),
        ("after_published", False, False),
    ],
)
def test_when_students_see_a_check(
    visibility: Visibility | str, before: bool, behind: bool
) -> None:
    check = replace(OPENS, visibility=visibility)
    sheet = replace(SHEET, checks=(check,), deadline="2026-12-01T23:59+01:00")
    due = datetime(2026, 12, 1, 22, 59, tzinfo=UTC)
    assert sheet.due == due
    moment = timedelta(seconds=1)
    assert sheet.shows(check, due - moment) is before
    assert sheet.shows(check, due) is before
    assert sheet.shows(check, due + moment) is behind


def test_points_are_summed_without_losing_tenths() -> None:
    assert total([0.1] * 3) == 0.3
    assert total([0.1] * 10) == 1
    assert isinstance(total([0.5, 0.5]), int)
    assert total([]) == 0
