"""A table that a scenario shows of a run, as plain values."""

from __future__ import annotations

from lab.frozen import frozen


@frozen
class Table:
    """Rows under a head; every row has as many cells as the head."""

    head: tuple[str, ...]
    """The columns' names; the first is that of the rows' names, and may be ""."""
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    """What is to be said of it, a sentence each."""
