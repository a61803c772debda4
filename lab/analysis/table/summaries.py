"""The rows that a table of flows has: `summarise`, of all flows of a packet table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lab.analysis.flow_summary import FlowSummary
from lab.analysis.table.columns import TCP
from lab.analysis.table.grouping import RST
from lab.analysis.table.notes import BIT_OF, NOTES, follow
from lab.analysis.table.running import Groups, totals
from lab.analysis.table.segments import make_segments
from lab.analysis.tcp.conversation import Teardown
from lab.analysis.tcp.segment import Note
from lab.model.address import SocketAddress

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Protocol
    from lab.analysis.table.notes import FollowedFlows
    from lab.analysis.table.segments import Segments
    from lab.analysis.table.table import PacketTable
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.records.bulk.batch import Ints

_TOGETHER = 1 << 18
"""So many segments are followed at once, and at least a flow's."""

CloseUp = Callable[[int], "TcpConversation"]
"""What follows one flow of a table by itself."""


@dataclass(slots=True)
class TableNotes:
    """What is remarkable about a table's flows and segments."""

    notes: Ints
    """Of each packet, as bits by the places of NOTES."""
    bytes_there: Ints
    """By flow."""
    bytes_back: Ints
    end: list[str]
    """How each ended, as far as it was captured; "" of UDP."""
    followed_alone: list[int]
    """The flows that had to be followed by themselves."""


def note(table: PacketTable, close_up: CloseUp) -> TableNotes:
    """The notes of all of a table's flows."""
    flows, packets = table.flows, table.packets
    count = len(flows)
    found = TableNotes(
        np.zeros(len(packets), dtype=np.int32),
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        [Teardown.NONE.value if each == TCP else "" for each in flows.protocol.tolist()],
        [],
    )
    _count_datagrams(table, found)
    sizes = np.diff(flows.member_starts)
    (of_tcp,) = np.nonzero((flows.protocol == TCP) & (sizes > 0))
    for together in _together(of_tcp, sizes[of_tcp]):
        _follow_some(table, together, found, close_up)
    return found


def summaries(table: PacketTable, found: TableNotes) -> Iterator[FlowSummary]:
    """A row of each flow, in their order."""
    flows, packets = table.flows, table.packets
    sizes = np.diff(flows.member_starts)
    counts = _note_counts(table, found)
    for flow in range(len(flows)):
        rows = flows.rows(flow)
        attached = flows.attached(flow)
        ends = [*attached, int(rows[0]), int(rows[-1])] if len(rows) else attached
        began, last = (int(packets.time_ns[row]) for row in (min(ends), max(ends)))
        version = int(flows.version[flow])
        a, b = (
            SocketAddress(table.addresses.address(version, int(address[flow])), int(port[flow]))
            for address, port in (
                (flows.a_address, flows.a_port),
                (flows.b_address, flows.b_port),
            )
        )
        of_flow = counts.get(flow, ())
        protocol: Protocol = "tcp" if flows.protocol[flow] == TCP else "udp"
        yield FlowSummary(
            f"{protocol}:{flows.number[flow]}", protocol, a, b,
            began, last - began, int(sizes[flow]) + len(attached),
            int(found.bytes_there[flow]), int(found.bytes_back[flow]), found.end[flow],
            tuple(of_flow),
        )  # fmt: skip


def _note_counts(table: PacketTable, found: TableNotes) -> dict[int, list[tuple[Note, int]]]:
    """By flow, how many segments are remarkable for what, in the order of NOTES."""
    flows = table.flows
    (noted,) = np.nonzero(found.notes[flows.members])
    bits = found.notes[flows.members[noted]]
    flow = np.searchsorted(flows.member_starts, noted, side="right") - 1
    counts: dict[int, list[tuple[Note, int]]] = {}
    for place, each in enumerate(NOTES):
        of_note = flow[bits >> place & 1 != 0]
        which, how_many = np.unique(of_note, return_counts=True)
        for number, times in zip(which.tolist(), how_many.tolist(), strict=True):
            counts.setdefault(number, []).append((each, times))
    return counts


def _together(flows: Ints, sizes: Ints) -> Iterator[Ints]:
    """The flows in runs, each of about as many segments as are followed at once."""
    at = 0
    ends = np.cumsum(sizes)
    while at < len(flows):
        before = int(ends[at - 1]) if at else 0
        end = max(int(np.searchsorted(ends, before + _TOGETHER, side="right")), at + 1)
        yield flows[at:end]
        at = end


def _count_datagrams(table: PacketTable, found: TableNotes) -> None:
    flows, packets = table.flows, table.packets
    flow = np.repeat(np.arange(len(flows)), np.diff(flows.member_starts))
    payload = packets.payload[flows.members].astype(np.int64)
    for total, mask in ((found.bytes_there, flows.is_from_a), (found.bytes_back, ~flows.is_from_a)):
        total[:] = totals(flow[mask], payload[mask], len(flows))
    of_tcp = flows.protocol == TCP
    found.bytes_there[of_tcp] = found.bytes_back[of_tcp] = 0


def _follow_some(table: PacketTable, which: Ints, found: TableNotes, close_up: CloseUp) -> None:
    flows = table.flows
    sizes = np.diff(flows.member_starts)[which]
    starts = np.append(0, np.cumsum(sizes))
    # TCP and UDP flows stand among each other in the order of their first packets.
    places = np.repeat(flows.member_starts[which] - starts[:-1], sizes) + np.arange(starts[-1])
    rows = flows.members[places]
    segments = make_segments(table.packets, rows, flows.is_from_a[places], starts)
    followed = follow(segments, table.sacks, flows.is_of_one_socket[which])
    found.notes[rows] = followed.notes
    present = table.packets.present[rows].astype(np.int64)
    held = _held(segments, present, followed.notes)
    found.bytes_there[which], found.bytes_back[which] = held[1::2], held[::2]
    ends = _teardowns(segments, table, followed)
    for flow, end in zip(which.tolist(), ends, strict=True):
        found.end[flow] = end
    for flow in which[followed.is_odd].tolist():
        _take_close_up(table, flow, close_up(flow), found)


def _take_close_up(table: PacketTable, flow: int, talk: TcpConversation, found: TableNotes) -> None:
    found.followed_alone.append(flow)
    for row, segment in zip(table.flows.rows(flow).tolist(), talk.segments, strict=True):
        found.notes[row] = sum(BIT_OF[note] for note in segment.notes)
    found.bytes_there[flow] = talk.client_to_server.length
    found.bytes_back[flow] = talk.server_to_client.length
    found.end[flow] = talk.teardown.value


def _held(s: Segments, present: Ints, notes: Ints) -> Ints:
    """By side, of how many different positions its segments brought a byte."""
    taken = s.is_followed & (present > 0) & (notes & BIT_OF[Note.KEEP_ALIVE] == 0)
    (places,) = np.nonzero(taken)
    side = s.side[places]
    start = s.seq[places] + s.syn[places]
    order = np.lexsort((start, side))
    side, start = side[order], start[order]
    end = start + present[places][order]
    if not len(side):
        return np.zeros(2 * s.count, dtype=np.int64)
    is_first = np.append(True, side[1:] != side[:-1])
    (starts,) = np.nonzero(is_first)
    group = np.cumsum(is_first) - 1
    before = Groups(group, starts).highest_before(end, np.ones(len(end), dtype=bool))
    return totals(side, np.maximum(end - np.maximum(start, before), 0), 2 * s.count)


def _teardowns(s: Segments, table: PacketTable, followed: FollowedFlows) -> Sequence[str]:
    """How each flow ended."""
    rst = (table.packets.flags[s.rows] & RST != 0) & ~s.is_discarded
    was_reset = totals(s.flow, rst, s.count) > 0
    has_fin = totals(s.side, s.is_followed & s.fin, 2 * s.count) > 0
    both_acked = np.all(followed.fin_acked.reshape(s.count, 2), axis=1)
    fins = has_fin.reshape(s.count, 2).sum(axis=1)
    by_fins = (Teardown.NONE.value, Teardown.HALF_CLOSED.value, Teardown.FIN.value)
    return [
        Teardown.FIN.value if closed else Teardown.RESET.value if reset else by_fins[count]
        for closed, reset, count in zip(
            both_acked.tolist(), was_reset.tolist(), fins.tolist(), strict=True
        )
    ]
