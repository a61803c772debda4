"""A card's picture."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import recorded as r

from lab.report.study.picture import card_picture
from lab.run import judged
from lab.study.card import Card, CardSubject
from lab.study.deck import make_deck


def test_a_card_without_rows_has_none() -> None:
    assert card_picture(Card(CardSubject.CAUSE, "x", "", "", "", "", None)) is None


def test_it_is_one_document_with_the_rows() -> None:
    cards = make_deck([judged(str(r.FOLDER / "traced-tcp4"))])
    card = next(card for card in cards if card.id == "statement-I3")
    drawn = card_picture(card)
    assert drawn is not None
    texts = " ".join(ET.fromstring(drawn).itertext())
    assert "client" in texts
    assert "SYN" in texts
