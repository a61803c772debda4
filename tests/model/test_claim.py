"""Claims: made of checks, put on steps, said otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from event_ids import event

from lab.errors import UsageError
from lab.model.claim import Claim, Outcome, Verdict, broken, claim, holds, skipped, undecided
from lab.model.program import Step

FIRST, SECOND = Step("first", ()), Step("second", ())


@claim("Nothing is lost.", source="RFC 1, 2", statements=["S1"], ipv6="Nothing at all is lost.")
def loses_nothing(timeline: Verdict) -> Verdict:
    """A check for these tests: the timeline is its verdict."""
    return timeline


@claim("They are alike.", source="RFC 1", name="same")
def is_alike(one: object, other: object) -> Verdict:
    return holds("so", [event("f1")]) if one == other else broken("not so")


def test_a_claim_is_named_after_its_check_unless_it_is_named() -> None:
    assert (loses_nothing.id, is_alike.id) == ("loses-nothing", "same")


def test_a_claim_has_what_its_decorator_says() -> None:
    assert loses_nothing.text == "Nothing is lost."
    assert loses_nothing.ipv6_text == "Nothing at all is lost."
    assert (loses_nothing.source, loses_nothing.statements) == ("RFC 1, 2", ("S1",))


def test_a_claim_is_written_where_its_decorator_is() -> None:
    (line,) = (n for n, text in enumerate(Path(__file__).read_text().splitlines(), 1)
               if text.startswith('@claim("Nothing'))  # fmt: skip
    for each in (loses_nothing, loses_nothing.in_each_of(FIRST), loses_nothing.saying("Else.")):
        assert each.place == (__file__, line)


def test_a_claim_is_asked_as_its_check_is() -> None:
    assert is_alike(1, 1).outcome is Outcome.HOLDS
    assert is_alike(1, 2).outcome is Outcome.BROKEN


def test_a_claim_said_otherwise_keeps_what_is_not_given() -> None:
    said = loses_nothing.on(FIRST).saying("No byte is lost.")
    assert (said.text, said.ipv6_text) == ("No byte is lost.", "")
    assert (said.source, said.statements, said.steps) == ("RFC 1, 2", ("S1",), (FIRST,))
    said = said.saying("No.", source="RFC 2", ipv6="None.", name="no").deciding("S2", "S3")
    assert said == Claim(
        "no", "No.", "RFC 2", loses_nothing.check, ("S2", "S3"), "None.", (FIRST,)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        (is_alike.on(FIRST), "its check takes (one, other), and the steps given are: first"),
        (loses_nothing.on(FIRST, SECOND), "its check takes (timeline), and the steps given are: "
                                          "first, second"),
        (is_alike.on(FIRST, SECOND), ""),
        (loses_nothing.in_each_of(FIRST, SECOND), ""),
        (is_alike.in_each_of(FIRST, SECOND), "its check takes (one, other), and the steps given "
                                             "are: first, second, each by itself"),
        (is_alike.in_each_of(FIRST), "its check takes (one, other), and the steps given are: "
                                     "first, each by itself"),
    ],
)  # fmt: skip
def test_a_check_that_takes_another_number_of_steps_is_found(asked: Claim, fault: str) -> None:
    assert asked.wrong_steps() == fault


def test_what_holds_in_each_step_holds_with_all_evidence_and_each_reason_once() -> None:
    each = loses_nothing.in_each_of(FIRST, SECOND)
    whole = each(
        holds("so", [event("f1")]), holds("thus", [event("f2")]), holds("so", [event("f3")])
    )
    assert whole == holds("so; thus", [event("f1"), event("f2"), event("f3")])


@pytest.mark.parametrize(
    "other", [broken("no", [event("f2")]), skipped("lacking"), undecided("silent")]
)
def test_a_step_in_which_it_does_not_hold_is_the_whole_verdict(other: Verdict) -> None:
    each = loses_nothing.in_each_of(FIRST, SECOND)
    assert each(holds("so", [event("f1")]), other, holds("too", [event("f3")])) == other


def test_the_worst_step_is_the_whole_verdict_wherever_it_stands() -> None:
    each = loses_nothing.in_each_of(FIRST, SECOND)
    unseen, lacking = undecided("silent"), skipped("lacking")
    worst = broken("no", [event("f3")])
    assert each(lacking, unseen, worst) == worst
    assert each(lacking, unseen) == unseen


def test_a_verdict_that_holds_and_names_no_event_is_an_error() -> None:
    with pytest.raises(UsageError, match="names no event that shows it: all is well"):
        holds("all is well", ())
    with pytest.raises(UsageError):
        Verdict(Outcome.HOLDS, "all is well")
    assert broken("it is not").evidence == ()
