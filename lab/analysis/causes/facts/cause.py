"""The cause of what surprises in a step (records)."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from lab.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Collection

    from lab.model.event import EventId


class Surprise(enum.IntEnum):
    """How surprising it is to who sees only what came of it. The most surprising is shown first."""

    SAID = 1
    """What came of it says nearly as much: the errno has its name from it."""
    HIDDEN = 2
    """What came of it looks the same for several causes."""
    ELSEWHERE = 3
    """It lies where nobody looks: in another program, another call, another host."""


@frozen
class Counted:
    """A counter that changed in the step, as evidence."""

    host: str
    name: str
    """By nstat(8)'s name: "TcpExtTCPAbortOnClose"."""
    change: int

    def __str__(self) -> str:
        """As reports show it: "TcpExtTCPAbortOnClose +1 on server"."""
        return f"{self.name} {self.change:+d} on {self.host}"


@frozen
class Cause:
    """Why something went as it did, derived from what was recorded."""

    name: str
    """Stable, and an entry of docs/causes.md: "reset-unread"."""
    text: str
    """A sentence with the names and numbers of this run."""
    about: str
    """Whose doing it is: a program's name, or a host's."""
    evidence: tuple[EventId, ...]
    """The events that show it, in the order of the sentence; at least one."""
    source: str
    """RFC section or man page."""
    surprise: Surprise
    counters: tuple[Counted, ...] = ()
    decided_by: str = ""
    """Of what is only likely: what would decide it. "" where it is certain."""
    times: int = 1
    """How often it happened in the step; the rest is about the first."""

    @property
    def is_certain(self) -> bool:
        """Whether it follows from what was recorded, and is not only likely."""
        return not self.decided_by

    @property
    def sentence(self) -> str:
        """The text, with whether it is only likely and how often it happened."""
        text = self.text if self.is_certain else f"Likely: {self.text}"
        return text if self.times == 1 else f"{text} ({self.times} times like this.)"

    @property
    def basis(self) -> str:
        """What it rests on: "connect(2). Seen in: f3, f4"."""
        seen = ", ".join(map(str, (*self.evidence, *self.counters)))
        decided = "" if self.is_certain else f" To decide it: {self.decided_by}."
        return f"{self.source}. Seen in: {seen}.{decided}"

    def below_a_failure(self, evidence: Collection[EventId]) -> str:
        """Its sentence and source, called the reason of what these events show.

        Where it shows by none of them it may have nothing to do with the failure, and is said
        to have been seen as well. A failure that no event shows may come of anything.
        """
        is_reason = not evidence or any(each in self.evidence for each in evidence)
        return f"{'Why' if is_reason else 'Also seen'}: {self.sentence} ({self.source})"
