"""The ladder of one flow of any capture file: two lanes, the flow's endpoints."""

from __future__ import annotations

from collections.abc import Mapping

from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import Flow, transport_endpoints
from lab.analysis.story import Phase
from lab.analysis.tcp.conversation import TcpConversation
from lab.ladder.build import with_phases
from lab.ladder.frames import frame_row
from lab.ladder.model import Ladder, Lane


def capture_ladder(
    flow: Flow, conversation: TcpConversation | None, phase_of: Mapping[int, Phase]
) -> Ladder:
    """The flow's frames and the ICMP errors about it, from its `a` to its `b` and back.

    `phase_of` has the phase of each by its number.
    """
    segments = conversation.segments if conversation else ()
    segment_of = {segment.crossing: segment for segment in segments}
    crossings = sorted((*flow.crossings, *flow.errors), key=lambda crossing: crossing.number)
    rows = [
        frame_row(
            crossing,
            segment_of.get(crossing.number),
            (0, 1, True) if _left_a(crossing, flow) else (1, 0, False),
            phase_of[crossing.number],
        )
        for crossing in crossings
    ]
    return Ladder((Lane(str(flow.a)), Lane(str(flow.b))), tuple(with_phases(rows)))


def _left_a(crossing: Crossing, flow: Flow) -> bool:
    """Whether it came from the flow's side `a`; an ICMP error from there quotes `b`'s packet."""
    ends = transport_endpoints(crossing.packet)
    if ends is not None:
        return ends[0] == flow.a
    return crossing.packet.ip is None or crossing.packet.ip.destination != flow.a.address
