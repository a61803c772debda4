"""Cards as CSV, for whatever else imports cards; a line each."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.report.svg.visible import visible

if TYPE_CHECKING:
    from lab.study.card import Card

COLUMNS = ("id", "question", "answer", "seen", "source")


def cards_csv(cards: Sequence[Card]) -> str:
    """The file, with a head. Source: RFC 4180."""
    written = io.StringIO(newline="")
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    for card in cards:
        texts = card.id, card.question, card.answer, card.seen, card.source
        rows.writerow(map(visible, texts))
    return written.getvalue()
