"""The states of a ladder's TCP connections as ribbons along its lanes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lab.frozen import frozen
from lab.ladder.model import FrameRow, Part, Row, StateRow
from lab.records import Obtained
from lab.scene.model import StateRibbon

_LISTEN, _CLOSED = "LISTEN", ("CLOSE", "CLOSED")
SHOWN_CLOSED = 2
"""For so many slots a socket is shown that is closed: it is gone."""


@frozen
class _Change:
    lane: int
    connection: str
    old: str
    """ "" if unknown."""
    state: str
    slot: int
    is_measured: bool


@dataclass(slots=True)
class _Socket:
    """One socket's states, as far as they follow from each other."""

    connection: str
    changes: list[_Change] = field(default_factory=list)

    @property
    def state(self) -> str:
        return self.changes[-1].state if self.changes else ""

    def takes(self, change: _Change) -> int:
        """How well a change continues this socket's; 0 where it is of another."""
        is_named = change.connection == self.connection
        if not is_named and change.connection and self.connection:
            return 0
        if not change.old:
            return 2 * is_named
        if change.old != self.state or change.old in _CLOSED:
            return 0
        if change.old == _LISTEN and change.state not in _CLOSED:
            return 0  # that is a socket of its own, which accept(2) will return
        return 1 + is_named


def state_ribbons(rows: Iterable[tuple[int, Row]], last: int) -> tuple[StateRibbon, ...]:
    """For each socket, each state from the slot of its beginning to that of the next.

    `rows` are with their slots, of which `last` is the last. What the kernel says of a lane is
    all that is shown there; where it says nothing, what the frames imply.
    """
    changes = [change for slot, row in rows for change in _changes(row, slot)]
    measured = {change.lane for change in changes if change.is_measured}
    sockets: dict[int, list[_Socket]] = {}
    open_ones: dict[int, list[_Socket]] = {}
    for change in changes:
        if change.is_measured or change.lane not in measured:
            own, still_open = (each.setdefault(change.lane, []) for each in (sockets, open_ones))
            _add(own, still_open, change)
    found = [ribbon for lane, own in sockets.items() for ribbon in _ribbons(lane, own, last)]
    return tuple(sorted(found, key=lambda ribbon: (ribbon.start, ribbon.lane, ribbon.column)))


def _add(sockets: list[_Socket], still_open: list[_Socket], change: _Change) -> None:
    """Add a change to the socket that it is of: the one of late that it fits best."""
    best = max(reversed(still_open), key=lambda each: each.takes(change), default=None)
    if best is None or not best.takes(change):
        best = _Socket(change.connection)
        sockets.append(best)
        still_open.append(best)
    best.connection = best.connection or change.connection
    if best.state != change.state:
        best.changes.append(change)
    if best.state in _CLOSED and best.changes[-1].is_measured:
        still_open.remove(best)


def _ribbons(lane: int, sockets: list[_Socket], last: int) -> Iterator[StateRibbon]:
    """A lane's ribbons; a column is free again once its socket is closed."""
    free_from: list[int] = []
    for socket in sockets:
        changes = socket.changes
        is_closed = socket.state in _CLOSED
        end = min(changes[-1].slot + SHOWN_CLOSED, last) if is_closed else last
        begin = changes[0].slot
        column = next((n for n, free in enumerate(free_from) if free <= begin), len(free_from))
        free_from[column:] = [end if is_closed else last + 1, *free_from[column + 1 :]]
        ends = [*(each.slot for each in changes[1:]), end]
        for each, until in zip(changes, ends, strict=True):
            yield StateRibbon(
                lane, column, socket.connection, each.state, each.slot, until, each.is_measured
            )


def _changes(row: Row, slot: int) -> Iterator[_Change]:
    match row:
        case StateRow():
            is_measured = row.obtained is Obtained.MEASURED
            yield _Change(row.lane, row.connection, row.old, row.new, slot, is_measured)
        case FrameRow():
            if row.sender_state and row.part is not Part.END:
                yield _Change(row.source, row.connection, "", row.sender_state, slot, False)
            if row.receiver_state and row.part is not Part.START:
                yield _Change(row.target, row.connection, "", row.receiver_state, slot, False)
