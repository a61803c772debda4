"""Predictions: what comes next over the wire, and how many were right."""

from __future__ import annotations

from dataclasses import replace

from lab.frozen import frozen

NOTHING = "nothing"
PATIENCE_NS = 3_000_000_000
"""When no frame has come for so long, nothing has."""


@frozen
class Guess:
    """A key, and what it predicts."""

    key: str
    what: str
    """ "client SYN", or NOTHING."""


@frozen
class Predictions:
    """What was predicted so far."""

    asked: int = 0
    right: int = 0
    pending: str = ""
    """What was predicted and has not come yet; "" for nothing."""
    after: int = 0
    """The number of the frame that had come last then."""
    since_ns: int = 0
    last: str = ""
    """What became of the last one: "right: client data"."""

    @property
    def score(self) -> str:
        """ "3 of 4 right"."""
        return f"{self.right} of {self.asked} right"

    def predict(self, what: str, after: int, now_ns: int) -> Predictions:
        """One more prediction: what comes behind the frame of that number."""
        return replace(self, pending=what, after=after, since_ns=now_ns)

    def decide(self, came: str) -> Predictions:
        """Something has come, or NOTHING has."""
        if not self.pending:
            return self
        is_right = came == self.pending
        said = f"right: {came}" if is_right else f"wrong: {came} came, not {self.pending}"
        if came == NOTHING and not is_right:
            said = f"wrong: nothing came, not {self.pending}"
        return replace(
            self, asked=self.asked + 1, right=self.right + is_right, pending="", last=said
        )

    def is_overdue(self, now_ns: int) -> bool:
        """Whether nothing has come for so long that nothing will."""
        return bool(self.pending) and now_ns - self.since_ns > PATIENCE_NS


def choices(left: str, right: str) -> tuple[Guess, ...]:
    """What can be predicted of a link between these hosts, each with its key."""
    kinds = ("SYN", "SYN-ACK", "ack", "data", "FIN", "RST")
    sent = [f"{host} {kind}" for kind in kinds for host in (left, right)]
    keys = "1234567890rt"
    found = [Guess(key, what) for key, what in zip(keys, sent, strict=True)]
    return (*found, Guess("n", NOTHING))
