"""The parts of a page: each step of a run, or each flow of a capture file, as a document.

A page has a summary of every part, and opens one at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lab.analysis.calls.printed_calls import pair_printed
from lab.analysis.explain.causes import ACKNOWLEDGED, DirectCause, acknowledged, direct_causes
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import Flow
from lab.analysis.story import phases
from lab.analysis.tcp.conversation import TcpConversation
from lab.analysis.timeline import Timeline
from lab.frozen import frozen
from lab.ladder.frames import segments_by_crossing
from lab.ladder.model import Ladder
from lab.model.counted import counted
from lab.model.event import EventId, frame_id
from lab.report.html.events import EventWriter
from lab.report.html.graphs import graph_documents
from lab.report.html.packing import WHOLE_BYTES, FramePacker
from lab.report.html.rulers import ruler_documents
from lab.report.html.scene_document import scene_document
from lab.report.svg.visible import visible
from lab.scene.build import build_scene


@frozen
class PagePart:
    """What the page shows at one time."""

    name: str
    """ "conversation"; of a capture file's flow "tcp 7"."""
    summary: tuple[str, ...]
    """Cells of its row in the table of parts."""
    document: dict[str, Any]
    events: Mapping[EventId, int]
    """The numbers of its events."""


def fits_whole(crossings: Iterable[Crossing]) -> bool:
    """Whether all bytes of all frames are few enough for one page."""
    return sum(len(crossing.packet.frame.data) for crossing in crossings) <= WHOLE_BYTES


def step_part(
    timeline: Timeline, ladder: Ladder, named: Collection[EventId] = (), *, whole: bool
) -> PagePart:
    """A step of a run; `whole` is whether its frames' bytes go into the page whole.

    Of the calls that programs printed those are in it that are `named`.
    """
    scene = build_scene(ladder)
    packer = FramePacker(whole=whole)
    writer = EventWriter(scene.zero_ns, packer, _flows_by_crossing(timeline.flows))
    phase_of = phases(timeline.crossings, timeline.conversations)
    segment_of = segments_by_crossing(timeline.conversations)
    for crossing in timeline.crossings:
        writer.frame(crossing, segment_of.get(crossing.number), phase_of[crossing.number])
    for call in timeline.system_calls:
        writer.call(call, timeline.line_of.get(call.id))
    hosts = {event.id: event.host for event in timeline.order.events}
    for seen in timeline.states:
        writer.state(seen, hosts.get(seen.id, ""))
    for queue in timeline.queues:
        writer.queue(queue)
    for drop in timeline.drops:
        writer.drop(drop)
    traced_as = _traced_as(timeline)
    for calls in timeline.calls.values():
        for printed in calls:
            if printed.id in named:
                writer.printed_call(printed, traced_as.get(printed.id))
    for struck in timeline.struck:
        writer.strike(struck)
    writer.add_causes(direct_causes(timeline))
    document = {
        "scene": scene_document(scene, writer.number_of),
        "events": writer.written,
        "sources": writer.sources,
        **packer.tables(),
        "rulers": ruler_documents(timeline, writer.number_of),
        "graphs": [
            graph
            for conversation in timeline.conversations
            for graph in graph_documents(conversation, scene.zero_ns, writer.number_of)
        ],
        "background": [f"{counted(each.calls, 'call')} {each.what}" for each in ladder.background],
        "violations": [visible(each) for each in ladder.violations],
        "remarks": [],
    }
    summary = (
        timeline.step,
        counted(len(timeline.crossings), "frame"),
        counted(len(timeline.system_calls), "call"),
    )
    return PagePart(timeline.step, summary, document, writer.number_of)


def _traced_as(timeline: Timeline) -> dict[EventId, EventId]:
    """By printed call the traced one that is the same."""
    return {
        printed.id: traced.id
        for program, calls in timeline.calls.items()
        for printed, traced in pair_printed(
            calls, [call for call in timeline.system_calls if call.program == program]
        )
        if traced is not None
    }


def _flows_by_crossing(flows: Sequence[Flow]) -> dict[int, str]:
    return dict(_named(flows))


def _named(flows: Sequence[Flow]) -> Iterator[tuple[int, str]]:
    for flow in flows:
        for crossing in (*flow.crossings, *flow.errors, *flow.parts):
            yield crossing.number, str(flow.id)


def flow_document(
    flow: Flow,
    conversation: TcpConversation | None,
    ladder: Ladder,
    packets: Mapping[int, int],
    remarks: Iterable[str],
    *,
    whole: bool,
) -> dict[str, Any]:
    """A flow of a capture file, which has no calls, and what is to be said of it.

    `packets` has the numbers of frames in the file by those of their crossings.
    """
    crossings = sorted((*flow.crossings, *flow.errors, *flow.parts), key=lambda each: each.number)
    names = _flows_by_crossing((flow,))
    return _frames_document(crossings, conversation, ladder, (names, packets), remarks, whole=whole)


def others_document(
    crossings: Sequence[Crossing], ladder: Ladder, packets: Mapping[int, int], *, whole: bool
) -> dict[str, Any]:
    """The frames of a capture file that belong to no flow; `packets` as of flow_document."""
    return _frames_document(crossings, None, ladder, ({}, packets), (), whole=whole)


def _frames_document(
    crossings: Sequence[Crossing],
    conversation: TcpConversation | None,
    ladder: Ladder,
    names: tuple[Mapping[int, str], Mapping[int, int]],
    remarks: Iterable[str],
    *,
    whole: bool,
) -> dict[str, Any]:
    """`names` are of flows, and numbers in the file, both by the numbers of crossings."""
    scene = build_scene(ladder)
    packer = FramePacker(whole=whole)
    conversations = (conversation,) if conversation else ()
    phase_of = phases(crossings, conversations)
    segment_of = segments_by_crossing(conversations)
    writer = EventWriter(scene.zero_ns, packer, *names)
    for crossing in crossings:
        writer.frame(crossing, segment_of.get(crossing.number), phase_of[crossing.number])
    if conversation:
        causes = {
            frame_id(answer): (DirectCause(frame_id(segment), ACKNOWLEDGED),)
            for answer, segment in acknowledged(conversation)
        }
        writer.add_causes(causes)
    return {
        "scene": scene_document(scene, writer.number_of),
        "events": writer.written,
        **packer.tables(),
        "rulers": [],
        "graphs": graph_documents(conversation, scene.zero_ns, writer.number_of)
        if conversation
        else [],
        "background": [],
        "violations": [],
        "remarks": [visible(each) for each in remarks],
    }
