"""A card's picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.report.svg.ladder import draw_svg
from lab.scene.build import build_scene

if TYPE_CHECKING:
    from lab.ladder.model import Ladder
    from lab.study.card import Card


def card_picture(card: Card) -> str | None:
    """An SVG document, which refers to nothing outside itself; None where the card has none."""
    return None if card.picture is None else draw_excerpt(card.picture_title, card.picture)


def draw_excerpt(title: str, excerpt: Ladder) -> str:
    """A few rows of a ladder as such a document."""
    return draw_svg(title, [("", build_scene(excerpt))])
