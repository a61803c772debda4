"""A capture's packets in columns, its flows, and what is remarkable about their segments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lab.analysis.table.addresses import AddressNumbers
from lab.analysis.table.columns import ODD, joined, joined_sacks
from lab.analysis.table.decode import decode
from lab.analysis.table.grouping import group
from lab.records import CANARY_TEXT, DIRECTIONS, Frame, LinkType

if TYPE_CHECKING:
    from lab.analysis.table.columns import PacketColumns, SackColumns
    from lab.analysis.table.grouping import FlowColumns
    from lab.records.bulk.batch import Flags, FrameBatch, Ints

_CANARY_AT = 14
"""Behind an Ethernet header."""


@dataclass(slots=True)
class PacketTable:
    """The packets of a capture with one vantage point, canaries left out; and their flows."""

    packets: PacketColumns
    sacks: SackColumns
    addresses: AddressNumbers
    flows: FlowColumns
    points: tuple[str, ...]
    """The names of the capture points, by their numbers."""
    canaries: int
    """How many frames were left out because a lab sent them to itself."""
    odd: Ints
    """The rows of packets that were dissected one by one."""

    def frame(self, row: int, data: bytes) -> Frame:
        """The frame of a row, of which these are the captured bytes."""
        packets = self.packets
        return Frame(
            int(packets.time_ns[row]),
            self.points[packets.point[row]],
            DIRECTIONS[packets.direction[row]],
            data,
            int(packets.wire[row]),
            LinkType(int(packets.link[row])),
        )


def build_table(
    batches: Iterable[FrameBatch], points: Callable[[], tuple[str, ...]]
) -> PacketTable:
    """The table of all frames; `points` gives the names of the points of the frames so far."""
    addresses = AddressNumbers()
    columns: list[PacketColumns] = []
    sacks: list[SackColumns] = []
    dissector: Any = None
    odd_rows: list[NDArray[np.int64]] = []
    row = canaries = 0
    for batch in batches:
        is_canary = _canaries(batch)
        if is_canary.any():
            canaries += int(is_canary.sum())
            batch = batch.kept(~is_canary)
        made, sack = decode(batch, addresses)
        sack.rows += row
        sacks.append(sack)
        (odd,) = np.nonzero(made.kind == ODD)
        if len(odd):
            if dissector is None:
                from lab.analysis.table.odd_packets import OddPackets

                dissector = OddPackets(addresses)
            for at, frame in _frames(batch, odd, points()):
                dissector.take(row + at, frame, made, at)
            odd_rows.append(odd + row)
        columns.append(made)
        row += len(batch)
    if dissector is not None:
        sacks += dissector.sacks
    packets = joined(columns)
    return PacketTable(
        packets,
        joined_sacks(sacks),
        addresses,
        group(packets, addresses, dissector.with_more if dissector is not None else ()),
        points(),
        canaries,
        np.concatenate(odd_rows) if odd_rows else np.zeros(0, dtype=np.int64),
    )


def _canaries(batch: FrameBatch) -> Flags:
    """Which frames are canaries."""
    size = len(CANARY_TEXT)
    found = batch.captured >= _CANARY_AT + size
    at = np.where(found, batch.starts + _CANARY_AT, 0)
    for place, byte in enumerate(CANARY_TEXT):
        found &= batch.data[at + place] == byte
        if not found.any():
            break
    return found


def _frames(batch: FrameBatch, rows: Ints, points: tuple[str, ...]) -> Iterator[tuple[int, Frame]]:
    for at in rows.tolist():
        start = int(batch.starts[at])
        yield (
            at,
            Frame(
                int(batch.time_ns[at]),
                points[batch.points[at]],
                DIRECTIONS[batch.directions[at]],
                batch.data[start : start + int(batch.captured[at])].tobytes(),
                int(batch.wire[at]),
                LinkType(int(batch.links[at])),
            ),
        )
