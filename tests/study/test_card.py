"""A card's name."""

from __future__ import annotations

from lab.study.card import Card, CardSubject


def test_it_is_named_by_its_subject_and_what_it_is_about() -> None:
    assert (
        Card(CardSubject.CAUSE, "reset-unread", "Why?", "So.", "", "", None).id
        == "cause-reset-unread"
    )
