from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tried import LOOPBACK, one_client, over_ipv6
from tried import SHEET as TRIED

from lab.errors import UsageError
from lab.expect.expectations import Expectations
from lab.grade.check import Check, Visibility
from lab.grade.sheet import Sheet


def both_speak(capture: Expectations) -> None:
    """Each side sends something.

    More of it, for teachers.
    """
    capture.tcp().bytes(client=1, server=1)


OPENS = Check("opens", 2, "handshake", hint="begin before you connect")
SHEET = Sheet("A talk", "A capture.", (OPENS, Check("speaks", 0.5, both_speak)))


def test_a_sheet_knows_its_checks_and_their_points() -> None:
    assert SHEET.max_score == 2.5
    assert SHEET.check("opens") is OPENS
    assert SHEET.due is None
    assert OPENS.seen is Visibility.VISIBLE


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


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"submission": "echo"}, "that is no Submission: 'echo'"),
        ({"submission": None}, "of a trial, and no submission"),
        ({"checks": (OPENS,)}, "of no trial"),
        ({"misconceptions": ("x",)}, "that is no Misconception: 'x'"),
        ({"misconceptions": (LOOPBACK, LOOPBACK)}, "two misconceptions called 'binds-loopback'"),
        (
            {"misconceptions": (replace(LOOPBACK, explains=("ecoh",)),)},
            "of a check 'ecoh' that it has not; did you mean 'echo'",
        ),
        ({"misconceptions": (replace(LOOPBACK, instead_of=("x",)),)}, "instead of 'x'"),
        (
            {"misconceptions": (replace(LOOPBACK, of=replace(one_client, family=6)),)},
            "two trials called 'one-client'",
        ),
    ],
)
def test_a_wrong_sheet_for_programs_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        replace(TRIED, **changes)
    assert said in str(refused.value)


def test_a_sheet_knows_its_trials_once_each() -> None:
    assert TRIED.trials == (one_client, over_ipv6)
    assert SHEET.trials == ()
