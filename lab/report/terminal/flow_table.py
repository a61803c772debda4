"""The table of a capture file's flows: what there is, before any of it is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from lab.analysis.flow_summary import (
    NO_FLOW,
    frames_of,
    frames_shown,
    moment,
    name_of,
    summarise,
)
from lab.model.counted import counted
from lab.report.terminal.drawing.style import Style

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow, FlowId
    from lab.analysis.tcp.conversation import TcpConversation

_HEAD = ("began (UTC)", "for (s)", "frames", "bytes there", "bytes back")


def draw_flow_table(
    flows: Sequence[Flow],
    conversations: Mapping[int, TcpConversation],
    others: Sequence[Crossing],
    style: Style,
    wholes: Mapping[FlowId, Flow] | None = None,
) -> Iterator[Text]:
    """Two lines a flow, or three; a line for frames of no flow; how one of them is drawn.

    `conversations` are those of TCP, by their flow's number. Where not all frames of the flows are
    shown, `wholes` are the flows with all: the table is about these.
    """
    summaries = [
        summarise(
            (wholes or {}).get(flow.id, flow),
            conversations[flow.number] if flow.protocol == "tcp" else None,
        )
        for flow in flows
    ]
    shown = [
        frames_shown(len(frames_of(flow)), each.frames)
        for flow, each in zip(flows, summaries, strict=True)
    ]
    rows = [_HEAD]
    rows += [
        (
            moment(each.began_ns), f"{each.lasted_ns / 1e9:.6f}", frames,
            str(each.bytes_there), str(each.bytes_back),
        )
        for each, frames in zip(summaries, shown, strict=True)
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    indent = " " * (max((len(each.name) for each in summaries), default=0) + 2)
    head, *lines = [
        indent + "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    if flows:
        yield Text(f"{'flow':<{len(indent)}}from > to: how it ended", "bold blue")
        yield from _wrapped(head, indent, style, "bold blue")
    for flow, summary, line in zip(flows, summaries, lines, strict=True):
        end = f": {summary.end}" if summary.end else ""
        title = f"{summary.name:<{len(indent)}}{flow.a} > {flow.b}{end}"
        yield from _wrapped(title, indent, style, "bold")
        yield from _wrapped(line, indent, style)
        if summary.notes:
            notes = ", ".join(f"{note.value}: {count}" for note, count in summary.notes)
            yield from _wrapped(indent + notes, indent, style, "dim")
    if others:
        yield Text(f"{counted(len(others), 'frame')} of no flow")
    yield Text()
    examples = [f"--flow {name_of(flows[0])} draws that flow"] if flows else []
    if others:
        examples.append(f"--flow {NO_FLOW} lists the frames of no flow")
    for piece in style.wrap("; ".join(examples) + "; it may be repeated", style.width):
        yield Text(piece, "dim")


def _wrapped(text: str, indent: str, style: Style, look: str = "") -> Iterator[Text]:
    if len(text) <= style.width and text.isascii():
        yield Text(text, look)  # As nearly all are: wrapping takes longer than all the rest.
        return
    for piece in style.wrap(text, style.width, indent):
        yield Text(piece, look)
