"""A card's picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.report.svg.ladder import draw_svg
from lab.scene.build import build_scene

if TYPE_CHECKING:
    from lab.study.card import Card


def card_picture(card: Card) -> str | None:
    """An SVG document, which refers to nothing outside itself; None where the card has none."""
    if card.picture is None:
        return None
    return draw_svg(card.picture_title, [("", build_scene(card.picture))])
