"""A card to learn from: a question, and its answer with what a run showed (records)."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.ladder.model import Ladder


class CardSubject(enum.Enum):
    """What a card is about."""

    STATEMENT = "statement"
    CAUSE = "cause"


@frozen
class Card:
    """One card. Its texts are plain, but for names between backquotes."""

    subject: CardSubject
    key: str
    """ "S1", "reset-unread": of a subject no two have the same, and it is so in every export."""
    question: str
    answer: str
    seen: str
    """What a run on this machine showed of it; "" where none did."""
    source: str
    """RFC sections and man pages; "" where `seen` has it."""
    picture: Ladder | None
    """A few rows of that run's ladder."""
    picture_title: str = ""
    """Which run it is of: "tcp over IPv4"."""

    @property
    def id(self) -> str:
        """ "statement-S1"."""
        return f"{self.subject.value}-{self.key}"
