"""Rows of frames: what stands on an arrow, at its ends and below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import FlowId
from lab.analysis.messages.message import messages_of
from lab.analysis.packets.packet import Tcp, TcpFlags
from lab.analysis.story import (
    Phase,
    describe_checksum,
    describe_more,
    describe_options,
    describe_packet,
    describe_sack,
    describe_segment,
)
from lab.analysis.tcp.conversation import TcpConversation
from lab.analysis.tcp.segment import DISCARDED, Note, Segment, in_order
from lab.ladder.model import FrameKind, FrameRow, Part

_FIN, _SYN, _RST = int(TcpFlags.FIN), int(TcpFlags.SYN), int(TcpFlags.RST)

Ways = tuple[int, int, bool]
"""The lanes that a frame leaves and goes to, and whether it goes forward."""


def frame_row(
    crossing: Crossing,
    segment: Segment | None,
    ways: Ways,
    phase: Phase,
    *,
    name: str = "",
    connection: str = "",
) -> FrameRow:
    """The row of a whole frame: as if it had arrived before anything else happened."""
    packet = crossing.packet
    source, target, is_forward = ways
    said = messages_of(packet)
    if segment is None:
        text, kind = describe_packet(packet), _kind_of_packet(crossing)
        notes: tuple[Note, ...] = ()
        more = describe_more(packet)
        details: tuple[str, ...] = (more,) if more else ()
        sender_state = receiver_state = ""
        sender_differs = receiver_differs = False
    else:
        text, kind = describe_segment(segment), _kind_of_segment(segment)
        notes = in_order(segment.notes) if segment.notes else ()
        details = (*_details(packet.tcp, segment), *_implied(segment))
        sender_differs = segment.implied_sender_state is not None
        receiver_differs = segment.implied_receiver_state is not None
        receiver = segment.receiver_state
        sender_state = segment.sender_state.value
        receiver_state = receiver.value if receiver else ""
    # What is said in words is not shown as bytes too.
    has_payload = not said and (packet.tcp is not None or packet.udp is not None)
    return FrameRow(
        event=crossing.id,
        source=source,
        target=target,
        is_forward=is_forward,
        part=Part.WHOLE,
        time_ns=crossing.time_ns,
        is_concurrent=False,
        sent_ns=crossing.sent_ns,
        received_ns=crossing.received_ns,
        name=name,
        connection=connection,
        text=text,
        kind=kind,
        is_lost=crossing.lost,
        phase=phase,
        notes=notes,
        details=details,
        payload=packet.payload if has_payload else b"",
        says="" if segment is None else "; ".join(map(str, said)),
        sender_state=sender_state,
        receiver_state=receiver_state,
        sender_differs=sender_differs,
        receiver_differs=receiver_differs,
    )


def _implied(segment: Segment) -> Iterator[str]:
    """What the frames imply, where the kernel reported another state."""
    ends = (
        ("sender", segment.implied_sender_state),
        ("receiver", segment.implied_receiver_state),
    )
    for end, implied in ends:
        if implied is not None:
            yield f"the frames imply {implied.value} at the {end}; the kernel says otherwise"


def part_of(row: FrameRow, part: Part, time_ns: int, is_concurrent: bool) -> FrameRow:
    """The same frame's row, or one end of it."""
    if part is row.part and time_ns == row.time_ns and is_concurrent is row.is_concurrent:
        return row
    return replace(row, part=part, time_ns=time_ns, is_concurrent=is_concurrent)


def segments_by_crossing(conversations: Iterable[TcpConversation]) -> dict[int, Segment]:
    """The segments of all conversations, by their frames' numbers."""
    return {
        segment.crossing: segment
        for conversation in conversations
        for segment in conversation.segments
    }


def connections_by_crossing(
    conversations: Iterable[TcpConversation], port_of: Mapping[FlowId, str] = MappingProxyType({})
) -> dict[int, str]:
    """The ports that identify connections, by their frames' numbers; `port_of` has them by flow."""
    return {
        segment.crossing: port_of[conversation.flow.id]
        for conversation in conversations
        if conversation.flow.id in port_of
        for segment in conversation.segments
    }


def _kind_of_packet(crossing: Crossing) -> FrameKind:
    icmp = crossing.packet.icmp
    return FrameKind.ERROR if icmp is not None and icmp.quoted else FrameKind.OTHER


def _kind_of_segment(segment: Segment) -> FrameKind:
    # As an integer: arithmetic on an IntFlag takes a microsecond each time.
    bits = int(segment.flags)
    if bits & _RST:
        return FrameKind.RST
    if bits & _SYN:
        return FrameKind.SYN
    if bits & _FIN:
        return FrameKind.FIN
    return FrameKind.DATA if segment.length else FrameKind.ACK


def _details(tcp: Tcp | None, segment: Segment) -> Iterator[str]:
    """A SYN's options, SACK blocks, and a checksum for which the segment is dropped."""
    if tcp is None:
        return
    if int(segment.flags) & _SYN and (options := describe_options(tcp)):
        yield options
    elif segment.sack:
        yield describe_sack(segment)
    if segment.notes and segment.notes & DISCARDED and (wrong := describe_checksum(tcp)):
        yield wrong
