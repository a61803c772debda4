"""A card's picture."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
import recorded as r

from lab.ladder.brief import excerpt
from lab.report.study.picture import card_picture, draw_excerpt
from lab.run import judged
from lab.study.card import Card, CardSubject
from lab.study.deck import make_deck

SVG = "{http://www.w3.org/2000/svg}"


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


@pytest.mark.parametrize("name", ["traced-tcp4", "traced-reset4"])
def test_nothing_stands_upon_anything_else_wherever_a_ladder_is_cut(name: str) -> None:
    (ladder, *_) = judged(str(r.FOLDER / name)).ladders
    for row in ladder.rows:
        event = getattr(row, "event", None)
        few = excerpt([ladder], [event] if event else [], 3, 2)
        if few is None:
            continue
        rows: dict[float, list[str]] = {}
        for text in ET.fromstring(draw_excerpt("", few)).iter(f"{SVG}text"):
            call = text.find(f"{SVG}tspan[@class='label']")
            if call is not None or text.find(f"{SVG}tspan[@class='heading']") is not None:
                # A frame's label stands 2 above the base line of its row.
                rows.setdefault(float(text.get("y", "")), []).append("".join(text.itertext()))
            elif "on " in "".join(span.get("class", "") for span in text):
                rows.setdefault(float(text.get("y", "")) + 2, []).append("".join(text.itertext()))
        assert [texts for texts in rows.values() if len(texts) > 1] == [], event
