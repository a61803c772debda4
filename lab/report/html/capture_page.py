"""The page of a capture file: a table of its flows, and one of them at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from lab.analysis.flow_summary import frames_of, frames_of_none, moment, summarise
from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.flow import Flow
from lab.analysis.story import phases
from lab.analysis.tcp.conversation import TcpConversation
from lab.ladder.capture import capture_ladder, others_ladder
from lab.model.counted import counted
from lab.pcap.capture_remarks import capture_remarks
from lab.report.html.page import PageHead, PageIndex, render_page
from lab.report.html.parts import fits_whole, flow_document, others_document

if TYPE_CHECKING:
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
) -> Iterator[str]:
    """The page of a capture file, piece by piece: a large one is not held whole.

    `packets` are the numbers that the crossings' frames have in the file.
    """
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
        verdict_text=f"{counted(len(crossings), 'frame')}, {counted(len(flows), 'flow')}",
        facts=(
            ("first frame", moment(ends[0])),
            ("duration", f"{(ends[1] - ends[0]) / 1e9:.6f} s"),
            ("frames of no flow", str(len(others))),
            *((("canary frames left out", str(canaries)),) if canaries else ()),
        ),
        warnings=tuple(remarks),
        claims=(),
        columns=COLUMNS,
    )
    rows = [_row(flow, conversation_of.get(flow.id)) for flow in flows]
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
    documents = _documents(flows, conversation_of, number_of, whole=whole)
    return render_page(head, index, chain(documents, _others(others, number_of, whole=whole)))


def _documents(
    flows: Sequence[Flow],
    conversation_of: Mapping[Any, TcpConversation],
    packets: Mapping[int, int],
    *,
    whole: bool,
) -> Iterator[dict[str, Any]]:
    for flow in flows:
        conversation = conversation_of.get(flow.id)
        phase_of = phases(frames_of(flow), (conversation,) if conversation else ())
        ladder = capture_ladder(flow, conversation, phase_of)
        yield flow_document(flow, conversation, ladder, packets, whole=whole)


def _others(
    crossings: Sequence[Crossing], packets: Mapping[int, int], *, whole: bool
) -> Iterator[dict[str, Any]]:
    """The part of the frames of no flow, where there are any."""
    if crossings:
        ladder = others_ladder(crossings, phases(crossings, ()))
        yield others_document(crossings, ladder, packets, whole=whole)


def _row(flow: Flow, conversation: TcpConversation | None) -> tuple[str, ...]:
    row = summarise(flow, conversation)
    return (
        str(flow.id), str(flow.a), str(flow.b), moment(row.began_ns),
        f"{row.lasted_ns / 1e9:.6f} s", str(row.frames), str(row.bytes_there),
        str(row.bytes_back), row.end,
    )  # fmt: skip
