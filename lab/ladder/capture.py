"""The ladder of one flow of any capture file: two lanes, the flow's endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lab.analysis.encapsulation import carried_in, carriers_differ
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import Flow, cut_endpoints, transport_endpoints
from lab.analysis.story import Phase
from lab.analysis.tcp.conversation import TcpConversation
from lab.analysis.tcp.segment import Segment
from lab.ladder.build import with_phases
from lab.ladder.frames import frame_row
from lab.ladder.model import FrameKind, FrameRow, Ladder, Lane


def capture_ladder(
    flow: Flow,
    conversation: TcpConversation | None,
    phase_of: Mapping[int, Phase],
    names: Mapping[int, str] | None = None,
) -> Ladder:
    """The flow's frames, parts and the ICMP errors about it, from its `a` to its `b` and back.

    `phase_of` has the phase of each by its number. `names` has what they are called.
    """
    segments = conversation.segments if conversation else ()
    segment_of = {segment.crossing: segment for segment in segments}
    each_carried = carriers_differ(flow)
    every = (*flow.crossings, *flow.errors, *flow.parts)
    crossings = sorted(every, key=lambda crossing: crossing.number)
    rows = [
        _row(
            crossing,
            segment_of.get(crossing.number),
            phase_of[crossing.number],
            flow,
            each_carried,
            names[crossing.number] if names else "",
        )
        for crossing in crossings
    ]
    return Ladder((Lane(str(flow.a)), Lane(str(flow.b))), tuple(with_phases(rows)))


def _row(
    crossing: Crossing,
    segment: Segment | None,
    phase: Phase,
    flow: Flow,
    with_carriers: bool,
    name: str,
) -> FrameRow:
    ways = (0, 1, True) if _left_a(crossing, flow) else (1, 0, False)
    row = frame_row(crossing, segment, ways, phase, name=name)
    if with_carriers and (carriers := carried_in(crossing.packet)):
        row = replace(row, details=(carriers, *row.details))
    ip = crossing.packet.ip
    if row.kind is not FrameKind.ERROR or ip is None:
        return row
    # The arrow begins in a lane, though often a router on the way sent it.
    router = ip.source not in (flow.a.address, flow.b.address)
    return replace(row, details=(*row.details, f"sent by {ip.source}")) if router else row


def _left_a(crossing: Crossing, flow: Flow) -> bool:
    """Whether it came from the flow's side `a`; an ICMP error from there quotes `b`'s packet."""
    packet = crossing.packet
    ends = transport_endpoints(packet)
    if ends is not None:
        return ends[0] == flow.a
    if (cut := cut_endpoints(packet)) is not None:
        return cut[1] == flow.a
    if packet.icmp is None or not packet.icmp.quoted:
        return packet.ip is None or packet.ip.source == flow.a.address
    return packet.ip is None or packet.ip.destination != flow.a.address


def others_ladder(crossings: Sequence[Crossing], phase_of: Mapping[int, Phase]) -> Ladder:
    """Frames of no flow, wherever they are from: each goes from the first lane to the second.

    `phase_of` has the phase of each by its number.
    """
    rows = [
        frame_row(crossing, None, (0, 1, True), phase_of[crossing.number]) for crossing in crossings
    ]
    return Ladder((Lane("any sender"), Lane("any receiver")), tuple(with_phases(rows)))
