from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tried import LOOPBACK, ONE_RECV, SHEET, looker, one_client

from lab.grade.hints import MOST_HINTS, give_hints
from lab.grade.judging import judge_trials
from lab.grade.mark import Mark
from lab.grade.misconception import Misconception
from lab.grade.seen import Blame, Seen
from lab.grade.sheet import Sheet


def hinted(look: Any, sheet: Sheet = SHEET) -> tuple[tuple[Mark, ...], Sequence[str]]:
    return give_hints(sheet, judge_trials(sheet, look), look)


def names(mark: Mark) -> list[str]:
    return [hint.misconception for hint in mark.told]


def always(seen: Seen) -> bool:
    return True


def fails(seen: Seen) -> bool:
    raise KeyError("x")


def sheet_with(*misconceptions: Misconception) -> Sheet:
    return replace(SHEET, misconceptions=misconceptions)


def test_a_misconception_that_shows_is_told_instead_of_the_checks_own_hint() -> None:
    (echo, clean, ipv6), faults = hinted(looker("refused"))
    (hint,) = echo.told
    assert (hint.text, hint.misconception, hint.source) == (
        "Bind to all addresses.", "binds-loopback", "ip(7)",
    )  # fmt: skip
    assert clean.passed and clean.told == ()
    assert [hint.text for hint in ipv6.told] == ["Bind to ::."]
    assert faults == ()


def test_it_may_say_by_what_it_was_seen() -> None:
    (echo, *_), _ = hinted(looker(b"he", b"hello"))
    assert echo.told[0].evidence == "only b'he' came"


def test_none_is_given_where_all_checks_pass() -> None:
    marks, _ = hinted(looker(b"hello"), sheet_with(replace(LOOPBACK, shows=always)))
    assert all(mark.passed for mark in marks)
    assert not any(mark.told for mark in marks)


def test_the_sheets_order_is_theirs_and_there_are_a_few_at_most() -> None:
    many = [replace(LOOPBACK, name=f"m-{number}", shows=always) for number in range(4)]
    (echo, *_), _ = hinted(looker(b"x"), sheet_with(*many))
    assert names(echo) == ["m-0", "m-1"] and MOST_HINTS == 2


def test_one_may_stand_instead_of_another() -> None:
    first = replace(ONE_RECV, shows=always)
    second = replace(LOOPBACK, shows=always, instead_of=("one-recv",))
    (echo, *_), _ = hinted(looker(b"x"), sheet_with(first, second))
    assert names(echo) == ["binds-loopback"]


def test_one_that_fails_itself_is_the_sheets_fault_and_no_students() -> None:
    (echo, *_), faults = hinted(looker(b"x"), sheet_with(replace(LOOPBACK, shows=fails)))
    assert faults == ("the misconception 'binds-loopback' failed itself: KeyError: 'x'",)
    assert [hint.text for hint in echo.told] == ["Send back what came."]


def test_none_shows_in_a_trial_that_the_lab_could_not_make() -> None:
    sheet = sheet_with(replace(LOOPBACK, shows=always))
    marks, faults = hinted(looker(b"x", blame=Blame.LAB), sheet)
    assert faults == () and not any(mark.told for mark in marks)


def test_one_may_look_at_a_trial_that_failed() -> None:
    def never_came_up(seen: Seen) -> bool:
        return seen.failure == "the submission's fault"

    def asks_its_value(seen: Seen) -> bool:
        return bool(seen.value)

    look = looker(b"x", blame=Blame.SUBMISSION)
    (echo, *_), _ = hinted(look, sheet_with(replace(LOOPBACK, shows=never_came_up)))
    assert names(echo) == ["binds-loopback"]
    (echo, *_), faults = hinted(look, sheet_with(replace(LOOPBACK, shows=asks_its_value)))
    assert echo.told == () and faults == ()


def test_a_trial_of_a_misconception_is_not_looked_at_unless_its_check_fails() -> None:
    asked: list[str] = []

    def look(trial: Any) -> Seen:
        asked.append(trial.name)
        return looker(b"hello")(trial)  # type: ignore[no-any-return]

    marks = judge_trials(SHEET, look)
    asked.clear()
    give_hints(SHEET, marks, look)
    assert asked == []
    assert one_client.name == "one-client"
