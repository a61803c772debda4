"""The cards of recorded runs."""

from __future__ import annotations

from functools import cache

import pytest
import recorded as r

from lab.analysis.causes.catalogue import CAUSE_KINDS
from lab.model.statements import STATEMENTS
from lab.run import judged
from lab.study.card import Card
from lab.study.deck import ROWS_BEFORE, ROWS_BEHIND, make_deck

RUNS = ("traced-tcp4", "traced-udp4", "traced-unix4", "traced-reset4")


@cache
def deck() -> dict[str, Card]:
    return {card.id: card for card in make_deck([judged(str(r.FOLDER / name)) for name in RUNS])}


def test_there_is_a_card_for_each_statement_and_each_cause_whatever_the_runs_show() -> None:
    ids = [f"statement-{each.id}" for each in STATEMENTS] + [
        f"cause-{name}" for name in CAUSE_KINDS
    ]
    assert list(deck()) == ids
    assert [card.id for card in make_deck([])] == ids
    assert not any(card.seen or card.picture for card in make_deck([]))


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("statement-I3", "tcp over IPv4"),
        ("statement-I4", "udp over IPv4"),
        ("cause-reset-unread", "reset over IPv4"),
        ("cause-datagram-refused", "udp over IPv4"),
        ("cause-unix-nobody", "unix"),
    ],
)
def test_a_card_has_what_a_run_showed_with_a_few_rows_of_it(name: str, title: str) -> None:
    card = deck()[name]
    assert card.seen
    assert card.picture_title.startswith(title)
    assert card.picture is not None
    assert 0 < len(card.picture.rows) <= ROWS_BEFORE + 1 + ROWS_BEHIND


def test_a_statement_that_no_run_decides_says_nothing_of_runs() -> None:
    assert deck()["statement-U6"].seen == ""


def test_no_card_refers_to_a_page_that_it_cannot_open() -> None:
    assert not [card.id for card in deck().values() if "](" in card.answer]
