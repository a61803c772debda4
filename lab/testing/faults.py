"""Faults of the wire by call: `wire.drop("SYN", nth=1)`."""

from __future__ import annotations

from collections.abc import Callable


class Wire:
    """What happens to frames on the links of a test's next runs, as docs/wire.md has it.

    Each takes what the frames are like, in the words of a rule ("SYN", "data from server"), which
    of them, from 1, and the link: "client>server" one way, "client-server" both.
    """

    def __init__(self, add: Callable[[str], None], link: Callable[[], str]) -> None:
        """`add` takes a rule, `link` is asked for the link where none is given."""
        self._add = add
        self._link = link

    def rule(self, text: str) -> None:
        """A rule in full: "client>server drop SYN 1"."""
        self._add(text)

    def drop(self, frames: str = "", nth: int | None = None, on: str = "") -> None:
        """They never arrive."""
        self._rule("drop", frames, nth, on)

    def duplicate(self, frames: str = "", nth: int | None = None, on: str = "") -> None:
        """They arrive twice."""
        self._rule("duplicate", frames, nth, on)

    def swap(self, frames: str = "", nth: int | None = None, on: str = "") -> None:
        """Each arrives behind the next that is like it."""
        self._rule("swap", frames, nth, on)

    def delay(self, ms: float, frames: str = "", nth: int | None = None, on: str = "") -> None:
        """They arrive that much later."""
        self._rule(f"delay {ms:g}ms", frames, nth, on)

    def corrupt(self, offset: int, frames: str = "", nth: int | None = None, on: str = "") -> None:
        """The byte at that offset is another, and the checksum wrong."""
        self._rule(f"corrupt {offset}", frames, nth, on)

    def rewrite(self, field: str, frames: str = "", nth: int | None = None, on: str = "") -> None:
        """A field is another, "window=0", and the checksum right."""
        self._rule(f"rewrite {field}", frames, nth, on)

    def loss(self, percent: float, seed: int = 1, frames: str = "", on: str = "") -> None:
        """So many of a hundred never arrive; the same ones with the same seed."""
        self._rule(f"loss {percent:g}% seed {seed}", frames, None, on)

    def rate(self, bits: str, on: str = "") -> None:
        """The link carries so many bits a second: "1M"."""
        self._rule(f"rate {bits}", "", None, on)

    def _rule(self, action: str, frames: str, nth: int | None, on: str) -> None:
        words = (on or self._link(), action, frames, "" if nth is None else str(nth))
        self._add(" ".join(filter(None, words)))
