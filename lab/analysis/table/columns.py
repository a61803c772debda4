"""What is known of packets, a column each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.records.bulk.batch import Flags, Ints

OTHER, TCP, UDP, ODD = 0, 1, 2, 3
"""What a packet is: of no flow; a TCP segment; a UDP datagram; one that the columns do not hold,
which the dissection of single packets is for."""

WRONG, RIGHT, UNKNOWN = 0, 1, -1
"""What a checksum is: unknown where not all that it is about was captured, or UDP sent none."""

NO_OPTION = -1
"""What a column has of a TCP option that a segment does not have."""

MOST_BLOCKS = 4
"""Of a selective acknowledgement: more do not fit into a TCP header. Source: RFC 2018, 3."""


@dataclass(slots=True)
class SackColumns:
    """The SACK options of the segments that have one (RFC 2018, 3); a row each."""

    rows: NDArray[np.int64]
    """Whose option it is: the row of the packet."""
    counts: NDArray[np.int64]
    """How many blocks it has."""
    edges: NDArray[np.uint32]
    """Left, right, left, right …: 2 * MOST_BLOCKS columns, as in the header."""


@dataclass(slots=True)
class PacketColumns:
    """Packets in the order of their file; each array has one element a packet.

    Of what is neither TCP nor UDP the columns from `source` on are 0.
    """

    number: NDArray[np.int64]
    """In the file, from 1."""
    place: NDArray[np.int64]
    """Where in the file its bytes begin."""
    time_ns: NDArray[np.int64]
    captured: NDArray[np.int32]
    wire: NDArray[np.int32]
    point: NDArray[np.uint16]
    link: NDArray[np.uint16]
    direction: NDArray[np.uint8]
    """Its place in DIRECTIONS."""
    kind: NDArray[np.uint8]
    """OTHER, TCP, UDP or ODD."""
    version: NDArray[np.uint8]
    """Of IP."""
    source: NDArray[np.uint32]
    """An IPv4 address; of IPv6 its place among the table's `addresses`."""
    destination: NDArray[np.uint32]
    source_port: NDArray[np.uint16]
    destination_port: NDArray[np.uint16]
    ttl: NDArray[np.uint8]
    """Or hop limit."""
    ip_checksum: NDArray[np.int8]
    """RIGHT or WRONG; UNKNOWN of IPv6, which has none."""
    checksum: NDArray[np.int8]
    """RIGHT, WRONG or UNKNOWN: that of TCP or UDP."""
    left_to_card: NDArray[np.bool_]
    """Whether it is the pseudo-header's sum alone."""
    payload: NDArray[np.uint32]
    """How many bytes it carries, by its headers."""
    present: NDArray[np.uint32]
    """How many of them were captured."""
    seq: NDArray[np.uint32]
    ack: NDArray[np.uint32]
    flags: NDArray[np.uint16]
    """The 12 bits from the reserved ones on."""
    window: NDArray[np.uint16]
    urgent: NDArray[np.uint16]
    header_bytes: NDArray[np.uint8]
    """Of TCP, with its options."""
    window_shift: NDArray[np.int16]
    """Of the window scale option; NO_OPTION without."""
    mss: NDArray[np.int32]
    """Of the maximum segment size option; NO_OPTION without."""

    def __len__(self) -> int:
        return len(self.number)


COLUMN_TYPES = {
    "number": np.int64, "place": np.int64, "time_ns": np.int64, "captured": np.int32,
    "wire": np.int32, "point": np.uint16, "link": np.uint16, "direction": np.uint8,
    "kind": np.uint8, "version": np.uint8, "source": np.uint32, "destination": np.uint32,
    "source_port": np.uint16, "destination_port": np.uint16, "ttl": np.uint8,
    "ip_checksum": np.int8, "checksum": np.int8, "left_to_card": np.bool_, "payload": np.uint32,
    "present": np.uint32, "seq": np.uint32, "ack": np.uint32, "flags": np.uint16,
    "window": np.uint16, "urgent": np.uint16, "header_bytes": np.uint8, "window_shift": np.int16,
    "mss": np.int32,
}  # fmt: skip
"""Of each column the type of its numbers."""


def columns_of(values: dict[str, Ints | Flags], count: int) -> PacketColumns:
    """The columns of so many packets; those of which nothing is given are 0."""
    made: dict[str, NDArray[Any]] = {}
    for name, kind in COLUMN_TYPES.items():
        given = values.get(name)
        made[name] = np.zeros(count, dtype=kind) if given is None else given.astype(kind)
    return PacketColumns(**made)


def joined(parts: list[PacketColumns]) -> PacketColumns:
    """The packets of all parts, one part after the other; each part's columns are given up."""
    made: dict[str, NDArray[Any]] = {}
    for name, kind in COLUMN_TYPES.items():
        pieces = [getattr(part, name) for part in parts]
        made[name] = np.concatenate(pieces) if pieces else np.zeros(0, dtype=kind)
        for part in parts:
            setattr(part, name, np.zeros(0, dtype=kind))
    return PacketColumns(**made)


def joined_sacks(parts: list[SackColumns]) -> SackColumns:
    """The options of all parts."""
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return SackColumns(none, none, np.zeros((0, 2 * MOST_BLOCKS), dtype=np.uint32))
    return SackColumns(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.edges for part in parts]),
    )
