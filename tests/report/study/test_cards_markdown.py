"""Cards as Markdown."""

from __future__ import annotations

import recorded as r
from markdown_it import MarkdownIt

from lab.report.study.cards_markdown import cards_markdown
from lab.run import judged
from lab.study.card import Card, CardSubject
from lab.study.deck import make_deck


def test_every_question_is_a_heading_and_every_picture_a_block() -> None:
    cards = make_deck([judged(str(r.FOLDER / "traced-tcp4"))])
    tokens = MarkdownIt().parse(cards_markdown(cards))
    headings = [token for token in tokens if token.type == "heading_open" and token.tag == "h3"]
    assert len(headings) == len(cards)
    blocks = [token for token in tokens if token.type == "fence"]
    assert len(blocks) == sum(card.picture is not None for card in cards) > 0


def test_hostile_text_is_text() -> None:
    text = "<b>x</b> *a* [b](c) # d `e*f` \x1b[0m"
    shown = MarkdownIt("commonmark").render(
        cards_markdown([Card(CardSubject.CAUSE, "x", text, text, text, "", None)])
    )
    assert "<b>" not in shown
    assert "<em>" not in shown
    assert "<a " not in shown
    assert "<code>e*f</code>" in shown
    assert "\x1b" not in shown
