from __future__ import annotations

from event_ids import event

from lab.expect.expectation import Expectation, met, unmet, worst
from lab.expect.subject import subject_of_file
from lab.model.claim import Contrast, Outcome, undecided


def test_the_worst_of_several_is_what_counts() -> None:
    held, other = met("one", [event("f1")]), met("two", [event("f2")])
    broken = unmet("three", [Contrast("a", "b", "c")])
    unclear = undecided("four")
    assert worst([held, unclear, broken]) is broken
    assert worst([held, unclear]) is unclear
    both = worst([held, other])
    assert (both.why, len(both.evidence)) == ("one; two", 2)


def test_of_many_that_hold_a_few_are_named() -> None:
    many = worst([met(f"connection {number}", [event(f"f{number}")]) for number in range(1, 501)])
    assert many.why == "; ".join(
        [*(f"connection {number}" for number in range(1, 5)), "and 496 more"]
    )
    assert len(many.evidence) == 500


def test_what_holds_by_no_event_is_an_observation() -> None:
    assert met("nothing was there").is_observed
    assert not met("f1", [event("f1")]).is_observed


def test_a_capture_with_gaps_decides_only_what_needs_none() -> None:
    gaps = subject_of_file((), (), (), "cut at byte 7")
    for needs_capture, outcome in ((True, Outcome.UNDECIDED), (False, Outcome.HOLDS)):
        asked = Expectation("x", "X.", "x(1)", lambda _: met("so"), needs_capture)
        assert asked.found([gaps]).outcome is outcome
