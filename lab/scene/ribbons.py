"""The states of a ladder's TCP connections as ribbons along its lanes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab.ladder.model import FrameRow, Part, Row, StateRow
from lab.records import Obtained
from lab.scene.model import StateRibbon


@dataclass(slots=True)
class _Change:
    lane: int
    connection: str
    state: str
    slot: int
    is_measured: bool


def state_ribbons(rows: Iterable[tuple[int, Row]], last: int) -> tuple[StateRibbon, ...]:
    """By lane and connection, each state from the slot of its beginning to that of the next.

    `rows` are with their slots, of which `last` is the last. What the kernel says of a lane is
    all that is shown there; where it says nothing, what the frames imply.
    """
    changes = [change for slot, row in rows for change in _changes(row, slot)]
    measured = {change.lane for change in changes if change.is_measured}
    kept = [each for each in changes if each.is_measured or each.lane not in measured]
    of_end: dict[tuple[int, str], list[_Change]] = {}
    for change in kept:
        before = of_end.setdefault((change.lane, change.connection), [])
        if not before or before[-1].state != change.state:
            before.append(change)
    columns: dict[int, int] = {}
    found: list[StateRibbon] = []
    for (lane, connection), states in of_end.items():
        column = columns[lane] = columns.get(lane, -1) + 1
        ends = [*(each.slot for each in states[1:]), last]
        found += (
            StateRibbon(lane, column, connection, each.state, each.slot, end, each.is_measured)
            for each, end in zip(states, ends, strict=True)
        )
    return tuple(sorted(found, key=lambda ribbon: (ribbon.start, ribbon.lane, ribbon.column)))


def _changes(row: Row, slot: int) -> Iterator[_Change]:
    match row:
        case StateRow():
            is_measured = row.obtained is Obtained.MEASURED
            yield _Change(row.lane, row.connection, row.new, slot, is_measured)
        case FrameRow():
            if row.sender_state and row.part is not Part.END:
                yield _Change(row.source, row.connection, row.sender_state, slot, False)
            if row.receiver_state and row.part is not Part.START:
                yield _Change(row.target, row.connection, row.receiver_state, slot, False)
