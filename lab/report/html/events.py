"""Events as the page's detail pane shows them, as JSON types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.calls.transcript import PrintedCall
from lab.analysis.correlate.correlation import Dropped
from lab.analysis.explain.causes import DirectCause
from lab.analysis.explain.sections import (
    DROPS,
    QUEUES,
    STATES,
    section_of_call,
    section_of_frame,
)
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.strikes import Struck
from lab.analysis.messages.message import messages_of
from lab.analysis.packets.packet import Packet
from lab.analysis.sockets.states import StateSeen
from lab.analysis.sockets.unix_queues import QueueSeen
from lab.analysis.story import Phase, describe_packet, describe_segment
from lab.analysis.tcp.segment import Segment, in_order
from lab.model.event import EventId, EventKind
from lab.records import SourceLine
from lab.report.html.packing import FramePacker, Packed
from lab.report.svg.visible import visible

DATA_BYTES = 512
"""As many of the bytes that a call moved are in the page."""


PRINTED_CHARACTERS = 1000
"""As much of a call that a program printed."""


class EventWriter:
    """Writes the events of one part of a page, times in nanoseconds from its zero."""

    def __init__(
        self,
        zero_ns: int,
        packer: FramePacker,
        flow_of: Mapping[int, str],
        packets: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        """`flow_of` has flows' names, `packets` numbers in a file, by the crossings' numbers."""
        self.packets = packets
        self.zero_ns = zero_ns
        self.packer = packer
        self.flow_of = flow_of
        self.written: list[Packed] = []
        self.number_of: dict[EventId, int] = {}
        self.sources: list[dict[str, Any]] = []
        """The source lines that made calls; a call has its line's place here."""
        self._source_places: dict[SourceLine, int] = {}

    def _add(self, event: EventId, title: str, section: str, fields: dict[str, Any]) -> None:
        self.number_of[event] = len(self.written)
        self.written.append(
            {
                "id": visible(str(event)),
                "kind": event.kind.value,
                "title": visible(title),
                "section": section,
                **_filter_of(event),
                **fields,
            }
        )

    def _at(self, time_ns: int | None) -> int | None:
        return None if time_ns is None else time_ns - self.zero_ns

    def frame(self, crossing: Crossing, segment: Segment | None, phase: Phase) -> None:
        """A frame's way over one link."""
        packet = crossing.packet
        more: dict[str, Any] = {}
        if segment is not None:
            states = segment.sender_state, segment.receiver_state
            more["states"] = [state.value if state else "" for state in states]
            more["notes"] = [note.value for note in in_order(segment.notes)]
        self._add(
            crossing.id,
            describe_packet(packet) if segment is None else _title_of(packet, segment),
            section_of_frame(packet, phase),
            {
                "at": [self._at(crossing.sent_ns), self._at(crossing.received_ns)],
                "from": visible(crossing.sender),
                "to": visible(crossing.receiver),
                "flow": self.flow_of.get(crossing.number, ""),
                "phase": phase.value,
                "packet": self.packets.get(crossing.number),
                **more,
                **self.packer.pack(packet),
            },
        )

    def call(self, call: SystemCall, line: SourceLine | None) -> None:
        """A traced system call, and the source line that made it; None where that is unknown."""
        self._add(
            call.id,
            f"{call.text} = {call.returned}",
            section_of_call(call.name),
            {
                "at": [self._at(call.entry_ns), self._at(call.exit_ns)],
                "program": visible(call.program),
                "host": visible(call.host),
                "pid": call.pid,
                "tid": call.tid,
                "name": call.title,
                "arguments": [[a.name, visible(a.text)] for a in call.arguments],
                "result": visible(call.returned),
                "moved": call.moved,
                "data": call.data[:DATA_BYTES].hex(),
                "socket": call.socket,
                **({} if line is None else {"source": self._source(line)}),
            },
        )

    def printed_call(self, call: PrintedCall, traced: EventId | None) -> None:
        """A call as its program printed it, and what it was traced as; it has no time."""
        outcome = f"{call.result} {call.error}" if call.error else str(call.result)
        self._add(
            call.id,
            f"{call.text[:PRINTED_CHARACTERS]} = {outcome}",
            section_of_call(call.name),
            {
                "at": [None],
                "program": visible(call.program),
                "obtained": "printed by the program",
                "filter": "",
                **({} if traced is None else {"same": self.number_of[traced]}),
            },
        )

    def _source(self, line: SourceLine) -> int:
        """A source line's place in `sources`; each is there once."""
        if line not in self._source_places:
            self._source_places[line] = len(self.sources)
            self.sources.append(
                {
                    "file": visible(line.file),
                    "number": line.number,
                    "function": visible(line.function),
                    "through": visible(line.through),
                    "first": line.first,
                    "text": [visible(each.expandtabs()) for each in line.text],
                }
            )
        return self._source_places[line]

    def state(self, seen: StateSeen, host: str) -> None:
        """A change of a TCP socket's state."""
        state = seen.state
        self._add(
            seen.id,
            f"{state.old or '?'} → {state.new}",
            STATES,
            {
                "at": [self._at(state.time_ns)],
                "host": visible(host),
                "obtained": state.obtained.value,
                "socket": state.socket,
                "local": visible(f"{state.local_address} port {state.local_port}"),
                "remote": visible(f"{state.remote_address} port {state.remote_port}"),
            },
        )

    def queue(self, queue: QueueSeen) -> None:
        """What was left to read in a unix socket."""
        sample = queue.sample
        self._add(
            queue.id,
            f"{sample.unread_bytes} bytes left to read",
            QUEUES,
            {"at": [self._at(sample.time_ns)], "obtained": "sampled", "socket": queue.socket},
        )

    def drop(self, dropped: Dropped) -> None:
        """A packet that the kernel dropped."""
        notice = dropped.notice
        self._add(
            dropped.id,
            f"dropped: {notice.reason}",
            DROPS,
            {
                "at": [self._at(notice.time_ns)],
                "reason": visible(notice.reason),
                "interface": visible(notice.interface or ""),
                "length": notice.length,
            },
        )

    def strike(self, struck: Struck) -> None:
        """What a rule of a wire did."""
        self._add(
            struck.id,
            f"wire: {struck.text}",
            "",
            {
                "at": [self._at(struck.strike.time_ns)],
                "rule": visible(struck.rule.text),
                "link": visible(struck.rule.link),
            },
        )

    def add_causes(self, causes: Mapping[EventId, Sequence[DirectCause]]) -> None:
        """Tell each event its causes, as [number, what it had to do with it]."""
        for event, found in causes.items():
            if event in self.number_of:
                self.written[self.number_of[event]]["causes"] = [
                    [self.number_of[cause.event], cause.why]
                    for cause in found
                    if cause.event in self.number_of
                ]


def _filter_of(event: EventId) -> dict[str, str]:
    """What finds in recording.pcapng the note on an event; of a frame the page knows by its fields.

    Source: wireshark-filter(4), "contains".
    """
    if event.kind is EventKind.FRAME:
        return {}
    text = f"{event}: ".replace("\\", "\\\\").replace('"', '\\"')
    return {"filter": visible(f'frame contains "{text}"')}


def _title_of(packet: Packet, segment: Segment) -> str:
    """The segment, and what it says in words."""
    return "; ".join([describe_segment(segment), *map(str, messages_of(packet))])
