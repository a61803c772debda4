"""The table of a capture file's flows: what there is, before any of it is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from lab.analysis.flow_summary import NO_FLOW, moment
from lab.model.counted import counted
from lab.report.terminal.drawing.style import Style

if TYPE_CHECKING:
    from lab.analysis.flow_summary import FlowSummary

_HEAD = ("began (UTC)", "for (s)", "frames", "bytes there", "bytes back")


def draw_flow_table(
    flows: Sequence[FlowSummary], shown: Sequence[str], others: int, style: Style
) -> Iterator[Text]:
    """Two lines a flow, or three; a line for frames of no flow; how one of them is drawn.

    `shown` says of each flow how many of its frames are shown, `others` how many are of no flow.
    """
    rows = [_HEAD]
    rows += [
        (
            moment(each.began_ns), f"{each.lasted_ns / 1e9:.6f}", frames,
            str(each.bytes_there), str(each.bytes_back),
        )
        for each, frames in zip(flows, shown, strict=True)
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    indent = " " * (max((len(each.name) for each in flows), default=0) + 2)
    head, *lines = [
        indent + "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    if flows:
        yield Text(f"{'flow':<{len(indent)}}from > to: how it ended", "bold blue")
        yield from _wrapped(head, indent, style, "bold blue")
    for flow, line in zip(flows, lines, strict=True):
        end = f": {flow.end}" if flow.end else ""
        title = f"{flow.name:<{len(indent)}}{flow.a} > {flow.b}{end}"
        yield from _wrapped(title, indent, style, "bold")
        yield from _wrapped(line, indent, style)
        if flow.notes:
            notes = ", ".join(f"{note.value}: {count}" for note, count in flow.notes)
            yield from _wrapped(indent + notes, indent, style, "dim")
    if others:
        yield Text(f"{counted(others, 'frame')} of no flow")
    yield Text()
    examples = [f"--flow {flows[0].name} draws that flow"] if flows else []
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
