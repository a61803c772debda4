"""Cards as Markdown, to be read or printed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lab.report.svg.visible import visible
from lab.report.terminal.drawing.ladder import draw_ladder
from lab.report.terminal.drawing.style import USUAL_COLUMNS, Style
from lab.study.card import Card, CardSubject

_HEADINGS = {CardSubject.STATEMENT: "Statements about sockets", CardSubject.CAUSE: "Causes"}
# What Markdown would take for its own outside of backquotes.
_ITS_OWN = re.compile(r"([\\*_\[\]<>#|])")


def cards_markdown(cards: Sequence[Card]) -> str:
    """One document: a heading for each question, its answer below."""
    lines = ["# Sockets, in questions"]
    subject = None
    for card in cards:
        if card.subject != subject:
            subject = card.subject
            lines += ["", f"## {_HEADINGS[subject]}"]
        lines += ["", f"### {_escaped(card.question)}", "", _escaped(card.answer)]
        if card.seen:
            lines += ["", f"Seen in {card.picture_title}: {_escaped(card.seen)}"]
        if card.picture is not None:
            drawn = draw_ladder(card.picture, Style(USUAL_COLUMNS, False))
            lines += ["", "```text", *(line.plain for line in drawn), "```"]
        if card.source:
            lines += ["", f"Source: {_escaped(card.source)}"]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """The text, with what stands between backquotes as it is."""
    pieces = visible(text).split("`")
    return "`".join(
        piece if place % 2 else _ITS_OWN.sub(r"\\\1", piece) for place, piece in enumerate(pieces)
    )
