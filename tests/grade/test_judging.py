from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tried import SHEET as TRIED
from tried import echoes, looker, one_client, over_ipv6

from lab.api import load
from lab.expect import TCP
from lab.expect.expectations import Expectations
from lab.grade.check import Check
from lab.grade.judging import (
    OutOfTime,
    SheetOutOfTime,
    fail_checks,
    give_up_checks,
    judge_checks,
    judge_trials,
    refuse_checks,
)
from lab.grade.mark import Grade, Mark
from lab.grade.seen import Blame, Seen
from lab.grade.sheet import Sheet
from lab.model.claim import Outcome

RECORDINGS = Path(__file__).parents[1] / "recordings"


def marks(name: str, *checks: Check) -> tuple[Mark, ...]:
    capture = load(RECORDINGS / name / "recording.pcapng")
    return judge_checks(Sheet("t", "h", checks), capture)


def opens_and_ends(capture: Expectations) -> None:
    """It opens, and the client ends it."""
    capture.tcp().handshake().closes_with_fin(by="client")


def looks_for_a_reset(capture: Expectations) -> None:
    """There is a RST."""
    capture.frames().expect(TCP(flags="RST"))


def asserts(capture: Expectations) -> None:
    """There are two steps."""
    assert len(capture.subjects()) == 2, "there is one step"


def asserts_mutely(capture: Expectations) -> None:
    """There are two steps."""
    if len(capture.subjects()) != 2:
        raise AssertionError


def does_nothing(capture: Expectations) -> None:
    """Nothing in particular."""


def fails_itself(capture: Expectations) -> None:
    """It has a mistake in it."""
    raise KeyError("port")


def leaves(capture: Expectations) -> None:
    """It ends the program."""
    sys.exit(0)


def is_pytests(capture: Expectations) -> None:
    """It is written as a test."""
    with pytest.raises(ValueError, match="x"):
        capture.tcp()


@pytest.mark.parametrize("function", [leaves, is_pytests])
def test_whatever_a_function_raises_the_other_checks_go_on(
    function: Callable[[Expectations], None],
) -> None:
    first, second = marks("tcp4", Check("odd", 1, function), Check("opens", 2, "handshake"))
    assert (first.outcome, first.is_sheets_fault) == (Outcome.UNDECIDED, True)
    assert second.passed


def test_a_deadline_ends_a_function_all_the_same() -> None:
    def takes_for_ever(capture: Expectations) -> None:
        """It goes on."""
        raise OutOfTime

    with pytest.raises(OutOfTime):
        marks("tcp4", Check("slow", 1, takes_for_ever))


WORDS = (
    Check("opens", 2, "handshake"),
    Check("ends", 2, "closes-with-fin"),
    Check("no-reset", 1, "no-reset"),
    Check("speaks", 0.5, "bytes:client>=1"),
)


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("tcp4", "HHHH"),
        ("tcp6", "HHHH"),
        ("half-close4", "HBBH"),
        ("reset4", "BBBB"),
        ("udp4", "UUUU"),
    ],
)
def test_checks_in_words_are_judged_one_by_one(name: str, outcomes: str) -> None:
    found = marks(name, *WORDS)
    assert "".join(mark.outcome.name[0] for mark in found) == outcomes
    assert [mark.passed for mark in found] == [each == "H" for each in outcomes]
    assert sum(mark.score for mark in found) == Grade("s", "f", found).score
    assert all(mark.why for mark in found)
    assert all(bool(mark.text) is not mark.passed for mark in found)


@pytest.mark.parametrize(
    ("function", "outcome", "said"),
    [
        (opens_and_ends, Outcome.HOLDS, "all that it expects is so"),
        (looks_for_a_reset, Outcome.BROKEN, "nothing is TCP(flags=RST)"),
        (asserts, Outcome.BROKEN, "there is one step"),
        (asserts_mutely, Outcome.BROKEN, "an assert of the check's function failed"),
        (does_nothing, Outcome.UNDECIDED, "expected nothing"),
        (fails_itself, Outcome.UNDECIDED, "failed itself: KeyError: 'port'"),
    ],
)
def test_a_function_is_judged_by_what_it_expects(
    function: Callable[[Expectations], object], outcome: Outcome, said: str
) -> None:
    (mark,) = marks("tcp4", Check("own", 3, function))
    assert (mark.outcome, mark.score) == (outcome, 3 if outcome is Outcome.HOLDS else 0)
    assert said in mark.why
    assert mark.is_sheets_fault is (outcome is Outcome.UNDECIDED)


def test_a_check_that_expects_nothing_passes_nothing_behind_others_either() -> None:
    found = marks("tcp4", Check("opens", 1, "handshake"), Check("own", 1, does_nothing))
    assert [mark.passed for mark in found] == [True, False]


def test_a_check_that_fails_itself_leaves_the_others_alone() -> None:
    found = marks("tcp4", Check("own", 1, fails_itself), *WORDS)
    assert [mark.passed for mark in found] == [False, True, True, True, True]


def test_what_is_undecided_says_why() -> None:
    (mark,) = marks("udp4", Check("opens", 1, "handshake"))
    assert mark.why == "no TCP connection was seen"
    assert mark.text.startswith("UNDECIDED: ")


def test_calls_are_undecided_of_a_capture() -> None:
    (mark,) = marks("tcp4", Check("calls", 1, "never:shutdown"))
    assert (mark.outcome, mark.score) == (Outcome.UNDECIDED, 0)


def test_a_refused_file_has_a_mark_for_each_check() -> None:
    found = refuse_checks(Sheet("t", "h", WORDS), "it is no capture")
    assert [mark.check.name for mark in found] == ["opens", "ends", "no-reset", "speaks"]
    assert {mark.why for mark in found} == {"it is no capture"}
    assert not any(mark.passed for mark in found)


def asked(*checks: Check, look: Any = None) -> tuple[Mark, ...]:
    return judge_trials(replace(TRIED, checks=checks, misconceptions=()), look or looker(b"hello"))


def test_checks_of_trials_are_given_what_was_seen() -> None:
    echo, clean, ipv6 = judge_trials(TRIED, looker(b"hello", b"x"))
    assert [mark.outcome for mark in (echo, clean, ipv6)] == [
        Outcome.HOLDS, Outcome.HOLDS, Outcome.BROKEN,
    ]  # fmt: skip
    assert ipv6.why == "it got b'x'"


def test_a_check_may_be_of_several_trials() -> None:
    def both(first: Seen, second: Seen) -> None:
        """They are alike."""
        assert first.value == second.value

    (mark,) = asked(Check("both", 1, both, of=(one_client, over_ipv6)))
    assert mark.passed


@pytest.mark.parametrize(
    ("blame", "outcome", "sheets", "labs"),
    [
        (Blame.SUBMISSION, Outcome.BROKEN, False, False),
        (Blame.SHEET, Outcome.UNDECIDED, True, False),
        (Blame.LAB, Outcome.UNDECIDED, False, True),
    ],
)
def test_a_trial_that_failed_decides_its_checks_by_whose_fault_it_is(
    blame: Blame, outcome: Outcome, sheets: bool, labs: bool
) -> None:
    (mark,) = asked(Check("echo", 1, echoes, of=one_client), look=looker(b"", blame=blame))
    assert (mark.outcome, mark.is_sheets_fault, mark.is_labs_fault) == (outcome, sheets, labs)
    assert mark.why == f"the {blame.value}'s fault" and not mark.was_tried


def test_a_check_that_looks_at_nothing_passes_nothing() -> None:
    (mark,) = asked(Check("odd", 1, does_nothing, of=one_client))
    assert mark.is_sheets_fault


def test_a_fault_that_did_not_happen_lets_nothing_pass() -> None:
    check = Check("echo", 1, echoes, of=one_client)
    (mark,) = asked(check, look=looker(b"hello", unmatched=("the rule 'x' matched no frame",)))
    assert mark.is_undecided and "did not happen" in mark.why
    (mark,) = asked(check, look=looker(b"x", unmatched=("the rule 'x' matched no frame",)))
    assert mark.outcome is Outcome.BROKEN


def test_what_was_not_there_though_all_was_seen_is_broken() -> None:
    (mark,) = asked(Check("r", 1, "no-reset", of=one_client), look=looker(b"", recording="udp4"))
    assert mark.outcome is Outcome.BROKEN and "no TCP connection" in mark.why


def test_calls_of_an_untraced_trial_are_the_sheets_fault() -> None:
    (mark,) = asked(Check("c", 1, "calls:server:shutdown", of=one_client))
    assert mark.is_sheets_fault and "@trial(trace='auto')" in mark.why


def test_a_function_that_takes_too_long_is_the_sheets_fault() -> None:
    def takes_for_ever(seen: Seen) -> None:
        """It goes on."""
        raise SheetOutOfTime("too long")

    first, second = asked(
        Check("slow", 1, takes_for_ever, of=one_client), Check("echo", 1, echoes, of=one_client)
    )
    assert first.is_sheets_fault and second.passed


def test_what_cannot_be_looked_at_has_marks_all_the_same() -> None:
    assert {mark.outcome for mark in fail_checks(TRIED, "x")} == {Outcome.BROKEN}
    assert all(mark.is_labs_fault for mark in give_up_checks(TRIED, "x"))
