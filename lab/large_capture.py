"""A large capture file: its flows from a table of packets, and a closer look at a few of them.

What is shown is the same as of a small file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lab.analysis.flow_summary import FlowSummary, choose
from lab.analysis.flows.crossing import Protocol
from lab.analysis.flows.flow import Flow, FlowId
from lab.analysis.table.columns import TCP
from lab.analysis.table.summaries import TableNotes, note, summaries
from lab.analysis.table.table import build_table
from lab.model.address import SocketAddress
from lab.pcap.bulk.bulk_file import BulkFile
from lab.pcap.bulk.bulk_reading import NotInBulkError
from lab.pcap.source import open_source

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.select.selection import Asked
    from lab.analysis.table.table import PacketTable
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.pcap.capture import CaptureFile
    from lab.results import Shown

_UNKNOWN = (0, 3)
"""Directions that say nothing."""


class LargeCapture:
    """A capture file as a table of packets; single packets are read again when they are needed."""

    def __init__(self, path: str, capture: CaptureFile, table: PacketTable) -> None:
        self.capture = capture
        """What there is to say of the file; without its frames."""
        self.table = table
        self._path = path

    @classmethod
    def read(cls, path: str, stop: int | None = None) -> LargeCapture:
        """A capture file as a table; reading ends once the descriptor `stop` is readable.

        Raises CaptureFileError as `read_capture` does, and NotInBulkError where the file has
        something that a table does not hold: frames of several points that are to be joined, times
        that are none.
        """
        with open_source(path, stop) as source:
            file = BulkFile(source, path)
            table = build_table(file.batches(), lambda: file.points)
            capture = file.capture()
        packets = table.packets
        if len(np.unique(packets.point)) > 1 and not np.isin(packets.direction, _UNKNOWN).any():
            raise NotInBulkError("frames of several points are joined")
        return cls(path, capture, table)

    @cached_property
    def notes(self) -> TableNotes:
        """What is remarkable about its flows and segments."""
        with self._reader() as read:
            return note(self.table, lambda flow: self._conversation(self._flow(flow, read)))

    @cached_property
    def summaries(self) -> tuple[FlowSummary, ...]:
        """A row of each flow."""
        return tuple(summaries(self.table, self.notes))

    @cached_property
    def frames_of_none(self) -> tuple[int, ...]:
        """The rows of frames that belong to no flow."""
        flows = self.table.flows
        is_of_none = np.ones(len(self.table.packets), dtype=bool)
        is_of_none[flows.members] = False
        for attached in (flows.errors, flows.parts):
            for rows in attached.values():
                is_of_none[rows] = False
        return tuple(np.nonzero(is_of_none)[0].tolist())

    def shown(self, asked: Asked) -> Shown:
        """The flows that are asked for, by name alone. Raises UsageError for one that is not."""
        from lab.analysis.select.selection import Selection
        from lab.results import Shown

        ids = self._ids
        choice = choose(asked.flows, tuple(ids))
        places = [ids[each] for each in choice.flows]
        others = self.frames_of_none if choice.others else ()
        with self._reader() as read:
            flows, crossings = self._flows(places, others, read)
        talks = tuple(self._conversation(flow) for flow in flows if flow.protocol == "tcp")
        numbers = self.table.packets.number
        packets = {each.number: int(numbers[each.number - 1]) for each in crossings}
        selection = Selection(
            asked,
            crossings,
            flows,
            len(self.table.packets),
            {flow.id: flow for flow in flows},
            packets,
        )
        return Shown(
            self.capture, crossings, flows, talks, tuple(packets.values()), self.table.canaries,
            selection,
        )  # fmt: skip

    @cached_property
    def _ids(self) -> Mapping[FlowId, int]:
        """The places of the flows."""
        flows = self.table.flows
        return {
            FlowId("tcp" if protocol == TCP else "udp", number): place
            for place, (protocol, number) in enumerate(
                zip(flows.protocol.tolist(), flows.number.tolist(), strict=True)
            )
        }

    def _flow(self, place: int, read: _Reader) -> Flow:
        ((flow,), _) = self._flows([place], (), read)
        return flow

    def _conversation(self, flow: Flow) -> TcpConversation:
        from lab.analysis.tcp.conversation import analyse_tcp

        return analyse_tcp(flow)

    def _flows(
        self, places: Sequence[int], others: Sequence[int], read: _Reader
    ) -> tuple[tuple[Flow, ...], tuple[Crossing, ...]]:
        """These flows, and their crossings with those of the other rows, in the file's order."""
        from lab.analysis.flows.crossing import Crossing
        from lab.analysis.flows.crossings import dissector

        flows = self.table.flows
        rows = set(others)
        for place in places:
            rows.update(flows.rows(place).tolist(), flows.attached(place))
        see = dissector(tunnels=True)
        seen: dict[int, Crossing] = {}
        for row in sorted(rows):
            frame = self.table.frame(row, read.captured(row))
            seen[row] = Crossing(row + 1, see(frame), "", "", frame.time_ns, frame.time_ns)
        made = tuple(self._made(place, seen) for place in places)
        return made, tuple(seen.values())

    def _made(self, place: int, seen: Mapping[int, Crossing]) -> Flow:
        flows = self.table.flows
        version = int(flows.version[place])
        a, b = (
            SocketAddress(self.table.addresses.address(version, int(number)), int(port))
            for number, port in (
                (flows.a_address[place], flows.a_port[place]),
                (flows.b_address[place], flows.b_port[place]),
            )
        )
        crossings, errors, parts = (
            tuple(seen[row] for row in of_kind)
            for of_kind in (
                flows.rows(place).tolist(),
                flows.errors.get(place, ()),
                flows.parts.get(place, ()),
            )
        )
        protocol: Protocol = "tcp" if flows.protocol[place] == TCP else "udp"
        return Flow(int(flows.number[place]), protocol, a, b, crossings, errors, parts)

    @contextmanager
    def _reader(self) -> Iterator[_Reader]:
        reader = _Reader(self._path, self.table)
        try:
            yield reader
        finally:
            reader.close()


class _Reader:
    """Reads the captured bytes of single frames, from a file that is opened for the first."""

    def __init__(self, path: str, table: PacketTable) -> None:
        self._path = path
        self._table = table
        self._descriptor: int | None = None

    def captured(self, row: int) -> bytes:
        """The bytes of the frame of a row."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        packets = self._table.packets
        return os.pread(self._descriptor, int(packets.captured[row]), int(packets.place[row]))

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
