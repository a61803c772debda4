"""Predictions and their score."""

from __future__ import annotations

from lab.stepping.predict import NOTHING, PATIENCE_NS, Predictions, choices


def test_right_and_wrong_are_counted() -> None:
    first = Predictions().predict("a SYN", 0, 5)
    assert first.pending == "a SYN" and first.score == "0 of 0 right"
    one = first.decide("a SYN")
    assert (one.score, one.last, one.pending) == ("1 of 1 right", "right: a SYN", "")
    two = one.predict("b data", 1, 6).decide("b FIN")
    assert (two.score, two.last) == ("1 of 2 right", "wrong: b FIN came, not b data")
    three = two.predict("b data", 2, 7).decide(NOTHING)
    assert three.last == "wrong: nothing came, not b data"
    assert three.predict(NOTHING, 2, 8).decide(NOTHING).score == "2 of 4 right"


def test_what_was_not_asked_is_not_counted() -> None:
    assert Predictions().decide("a SYN") == Predictions()


def test_nothing_has_come_after_a_while() -> None:
    pending = Predictions().predict(NOTHING, 0, 5)
    assert not pending.is_overdue(5 + PATIENCE_NS)
    assert pending.is_overdue(6 + PATIENCE_NS)
    assert not Predictions().is_overdue(10 * PATIENCE_NS)


def test_each_choice_has_a_key_of_its_own() -> None:
    found = choices("client", "server")
    assert len({each.key for each in found}) == len({each.what for each in found}) == 13
    assert {"client SYN", "server SYN-ACK", "server RST", NOTHING} <= {e.what for e in found}
