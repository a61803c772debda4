"""Cards as CSV."""

from __future__ import annotations

import csv
import io

from lab.report.study.cards_csv import COLUMNS, cards_csv
from lab.study.card import Card, CardSubject
from lab.study.deck import make_deck


def test_there_is_a_line_for_each_card() -> None:
    cards = make_deck([])
    rows = list(csv.reader(io.StringIO(cards_csv(cards))))
    assert tuple(rows[0]) == COLUMNS
    assert [row[0] for row in rows[1:]] == [card.id for card in cards]
    assert {len(row) for row in rows} == {len(COLUMNS)}


def test_texts_stay_in_their_cells() -> None:
    card = Card(CardSubject.CAUSE, "x", 'a "b", c', "one\ntwo", "\x1b[0m", "", None)
    ((*_,), row) = csv.reader(io.StringIO(cards_csv([card])))
    assert row == ["cause-x", 'a "b", c', "one\\x0atwo", "\\x1b[0m", ""]
