"""The page of a capture file: a table of its flows, and one of them at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from lab.analysis.flow_remarks import flow_remarks
from lab.analysis.flow_summary import frames_of, frames_of_none, frames_shown, moment, summarise
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import Flow, FlowId
from lab.analysis.story import phases
from lab.analysis.tcp.conversation import TcpConversation
from lab.ladder.capture import capture_ladder, others_ladder
from lab.model.counted import counted
from lab.pcap.capture_remarks import capture_remarks
from lab.report.html.page import PageIndex, render_page
from lab.report.html.page_text import PageHead
from lab.report.html.parts import fits_whole, flow_document, others_document

if TYPE_CHECKING:
    from lab.analysis.select.selection import Asked, Selection
    from lab.pcap.capture import CaptureFile

MOST_AT_ONCE = 10_000
"""Of a file with more frames none is drawn before a flow is chosen."""

OTHERS = "of no flow"
COLUMNS = ("flow", "from", "to", "began", "for", "frames", "bytes there", "bytes back", "end")


def capture_page(
    capture: CaptureFile,
    crossings: Sequence[Crossing],
    flows: Sequence[Flow],
    conversations: Sequence[TcpConversation],
    packets: Sequence[int],
    canaries: int,
    selection: Selection | None = None,
) -> Iterator[str]:
    """The page of a capture file, piece by piece: a large one is not held whole.

    `packets` are the numbers that the crossings' frames have in the file. With a `selection` the
    others are what it selects.
    """
    wholes = selection.wholes if selection else {}
    conversation_of = {each.flow.id: each for each in conversations}
    ends = crossings[0].time_ns, crossings[-1].time_ns
    others = frames_of_none(crossings, flows)
    remarks = [*capture_remarks(capture)]
    if capture.broken:
        remarks.append(f"the file is broken {capture.broken}")
    head = PageHead(
        title=capture.name,
        question=capture.name,
        verdict="",
        verdict_text=f"{_frames(crossings, selection)}, {counted(len(flows), 'flow')}",
        facts=(
            ("first frame", moment(ends[0])),
            ("duration", f"{(ends[1] - ends[0]) / 1e9:.6f} s"),
            ("frames of no flow", str(len(others))),
            *(_asked(selection.asked) if selection else ()),
            *((("canary frames left out", str(canaries)),) if canaries else ()),
        ),
        warnings=tuple(remarks),
        claims=(),
        columns=COLUMNS,
    )
    rows = [
        _row(wholes.get(flow.id, flow), conversation_of.get(flow.id), len(frames_of(flow)))
        for flow in flows
    ]
    if others:
        rows.append((OTHERS, "", "", moment(others[0].time_ns), "", str(len(others)), "", "", ""))
    index = PageIndex(
        tuple(row[0] for row in rows),
        rows,
        opens_at_once=len(crossings) <= MOST_AT_ONCE or len(rows) == 1,
    )
    number_of = {
        crossing.number: packet for crossing, packet in zip(crossings, packets, strict=True)
    }
    whole = fits_whole(crossings)
    documents = _documents(flows, conversation_of, number_of, wholes, whole=whole)
    return render_page(head, index, chain(documents, _others(others, number_of, whole=whole)))


def _documents(
    flows: Sequence[Flow],
    conversation_of: Mapping[Any, TcpConversation],
    packets: Mapping[int, int],
    wholes: Mapping[FlowId, Flow],
    *,
    whole: bool,
) -> Iterator[dict[str, Any]]:
    for flow in flows:
        conversation = conversation_of.get(flow.id)
        phase_of = phases(frames_of(flow), (conversation,) if conversation else ())
        ladder = capture_ladder(flow, conversation, phase_of)
        remarks = flow_remarks(wholes.get(flow.id, flow), conversation)
        yield flow_document(flow, conversation, ladder, packets, remarks, whole=whole)


def _others(
    crossings: Sequence[Crossing], packets: Mapping[int, int], *, whole: bool
) -> Iterator[dict[str, Any]]:
    """The part of the frames of no flow, where there are any."""
    if crossings:
        ladder = others_ladder(crossings, phases(crossings, ()))
        yield others_document(crossings, ladder, packets, whole=whole)


def _frames(crossings: Sequence[Crossing], selection: Selection | None) -> str:
    if selection is None:
        return counted(len(crossings), "frame")
    return f"{len(crossings)} of {counted(selection.of_frames, 'frame')}"


def _asked(asked: Asked) -> Iterator[tuple[str, str]]:
    """What the frames of the page were asked for by."""
    for name, text in (
        ("flows", ", ".join(asked.flows)),
        ("filter", asked.filter_text),
        ("frames", asked.numbers_text),
    ):
        if text:
            yield name, text


def _row(flow: Flow, conversation: TcpConversation | None, shown: int) -> tuple[str, ...]:
    row = summarise(flow, conversation)
    frames = frames_shown(shown, row.frames)
    return (
        str(flow.id), str(flow.a), str(flow.b), moment(row.began_ns),
        f"{row.lasted_ns / 1e9:.6f} s", frames, str(row.bytes_there),
        str(row.bytes_back), row.end,
    )  # fmt: skip
