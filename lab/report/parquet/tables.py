"""A packet table's packets and flows as tables of Arrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.analysis.table.columns import NO_OPTION, RIGHT, TCP, UNKNOWN
from lab.analysis.table.grouping import ACK
from lab.analysis.table.notes import NOTES
from lab.analysis.tcp.segment import Note

if TYPE_CHECKING:
    from lab.analysis.flow_summary import FlowSummary
    from lab.analysis.table.summaries import TableNotes
    from lab.analysis.table.table import PacketTable
    from lab.records.bulk.batch import Flags, Ints


def column_of(note: Note) -> str:
    """The name of the column that has a note's count: "zero_window"."""
    return note.name.lower()


def flow_table(flows: Sequence[FlowSummary]) -> pa.Table:
    """The table of flows, whose rows are those that `wirelab show` prints."""
    counts = [dict(flow.notes) for flow in flows]
    columns = {
        "flow": pa.array([flow.name for flow in flows], pa.string()),
        "protocol": pa.array([flow.protocol for flow in flows], pa.string()),
        "a_address": pa.array([str(flow.a.address) for flow in flows], pa.string()),
        "a_port": pa.array([flow.a.port for flow in flows], pa.uint16()),
        "b_address": pa.array([str(flow.b.address) for flow in flows], pa.string()),
        "b_port": pa.array([flow.b.port for flow in flows], pa.uint16()),
        "began": pa.array([flow.began_ns for flow in flows], pa.timestamp("ns", "UTC")),
        "lasted_s": pa.array([flow.lasted_ns / 1e9 for flow in flows], pa.float64()),
        "frames": pa.array([flow.frames for flow in flows], pa.int64()),
        "bytes_there": pa.array([flow.bytes_there for flow in flows], pa.int64()),
        "bytes_back": pa.array([flow.bytes_back for flow in flows], pa.int64()),
        "end": pa.array([flow.end or None for flow in flows], pa.string()),
    }
    for note in NOTES:
        columns[column_of(note)] = pa.array([each.get(note, 0) for each in counts], pa.int64())
    return pa.table(columns)


def packet_batches(
    table: PacketTable, notes: TableNotes, names: list[str], size: int
) -> Iterator[pa.RecordBatch]:
    """The packets, `size` at a time; without any an empty batch, so that there are columns.

    `names` are those of the flows.
    """
    flow_of = np.full(len(table.packets), -1, dtype=np.int32)
    from_a = np.zeros(len(table.packets), dtype=bool)
    flows = table.flows
    flow_of[flows.members] = np.repeat(np.arange(len(flows)), np.diff(flows.member_starts))
    from_a[flows.members] = flows.is_from_a
    dictionary = pa.array(names, pa.string())
    points = pa.array(table.points, pa.string())
    for start in range(0, max(len(table.packets), 1), size):
        part = slice(start, start + size)
        yield _batch(table, notes, part, flow_of[part], from_a[part], dictionary, points)


def _batch(
    table: PacketTable, notes: TableNotes, part: slice, flow: NDArray[np.int32], from_a: Flags,
    names: pa.Array, points: pa.Array,
) -> pa.RecordBatch:  # fmt: skip
    packets = table.packets
    is_of_none, is_not_tcp = flow < 0, packets.kind[part] != TCP
    flags = packets.flags[part]
    no_ack = is_not_tcp | (flags & ACK == 0)
    checksum = packets.checksum[part]

    def column(name: str, missing: Flags | None = None) -> pa.Array:
        return pa.array(getattr(packets, name)[part], mask=missing)

    known = ~is_of_none & (checksum != UNKNOWN)
    columns = {
        "packet": column("number"),
        "time": pa.array(packets.time_ns[part], pa.timestamp("ns", "UTC")),
        "interface": pa.DictionaryArray.from_arrays(
            pa.array(packets.point[part].astype(np.int32)), points
        ),
        "captured": column("captured"),
        "wire": column("wire"),
        "flow": pa.DictionaryArray.from_arrays(pa.array(flow, mask=is_of_none), names),
        "from_a": pa.array(from_a, mask=is_of_none),
        "source": _addresses(table, part, packets.source, is_of_none),
        "source_port": column("source_port", is_of_none),
        "destination": _addresses(table, part, packets.destination, is_of_none),
        "destination_port": column("destination_port", is_of_none),
        "ttl": column("ttl", is_of_none),
        "payload": column("payload", is_of_none),
        "checksum_right": pa.array(checksum == RIGHT, mask=~known),
        "seq": column("seq", is_not_tcp),
        "ack": column("ack", no_ack),
        "flags": column("flags", is_not_tcp),
        "window": column("window", is_not_tcp),
        "mss": column("mss", is_not_tcp | (packets.mss[part] == NO_OPTION)),
        "window_shift": column(
            "window_shift", is_not_tcp | (packets.window_shift[part] == NO_OPTION)
        ),
        "notes": _notes(notes.notes[part]),
    }
    return pa.record_batch(columns)


def _addresses(
    table: PacketTable, part: slice, numbers: NDArray[np.uint32], missing: Flags
) -> pa.Array:
    """Addresses as text, each written once."""
    versions = table.packets.version[part].astype(np.int64)
    keys, which = np.unique(
        np.where(missing, 0, versions << 32 | numbers[part]), return_inverse=True
    )
    texts = [
        str(table.addresses.address(key >> 32, key & 0xFFFF_FFFF)) if key >> 32 else ""
        for key in keys.tolist()
    ]
    indices = pa.array(which.reshape(-1).astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.string()))


def _notes(bits: Ints) -> pa.Array:
    """Of each packet the names of its notes, as a list."""
    counts = np.zeros(len(bits), dtype=np.int64)
    (noted,) = np.nonzero(bits)
    rows, names = [], []
    for place in range(len(NOTES)):
        of_note = noted[bits[noted] >> place & 1 != 0]
        rows.append(of_note)
        names.append(np.full(len(of_note), place, dtype=np.int32))
        counts[of_note] += 1
    order = np.argsort(np.concatenate(rows), kind="stable")
    dictionary = pa.array([column_of(note) for note in NOTES], pa.string())
    values = pa.array(np.concatenate(names)[order])
    texts = pa.DictionaryArray.from_arrays(values, dictionary).dictionary_decode()
    offsets = np.append(0, np.cumsum(counts)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), texts)
