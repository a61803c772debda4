"""The page of a capture file: its flows, and the frames of none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from lab.analysis.encapsulation import carried_in, describe_ends
from lab.analysis.flow_remarks import flow_remarks
from lab.analysis.flow_summary import (
    NO_FLOW,
    frames_of,
    frames_of_none,
    frames_shown,
    summarise,
)
from lab.analysis.story import describe_packet, describe_quoted, phases
from lab.analysis.tcp.conversation import TcpConversation
from lab.ladder.capture import capture_ladder
from lab.model.counted import counted
from lab.report.terminal.drawing.board import TIME_COLUMNS, elapsed
from lab.report.terminal.drawing.ladder import draw_ladder
from lab.report.terminal.drawing.style import Style
from lab.report.terminal.flow_table import draw_flow_table

if TYPE_CHECKING:
    from lab.analysis.flow_summary import FlowSummary
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow
    from lab.analysis.select.selection import Selection

MOST_DRAWN = 50
"""Of a file with more frames, none is drawn before a flow is chosen."""


def draw_capture(
    crossings: tuple[Crossing, ...],
    flows: tuple[Flow, ...],
    conversations: tuple[TcpConversation, ...],
    canaries: int,
    style: Style,
    notes: Iterable[Text] = (),
    selection: Selection | None = None,
) -> Iterator[Text]:
    """A capture file's flows, each with its ladder, and the frames that belong to none.

    Of more than MOST_DRAWN frames it is a table of the flows, unless some were asked for by name.
    `notes` are lines about the file that stand below the counts. Where not all was asked for,
    `selection` says so, the rest is what it selects, and frames are named by their numbers.
    """
    frames = counted(len(crossings), "frame")
    if selection:
        frames = f"{len(crossings)} of {counted(selection.of_frames, 'frame')}"
    yield from _draw_counts(frames, len(flows), canaries, notes)
    conversation_of = {conversation.flow.number: conversation for conversation in conversations}
    others = frames_of_none(crossings, flows)
    names = selection.asked.flows if selection else ()
    wholes = selection.wholes if selection else {}
    packets = selection.packets if selection else None
    named = {number: str(packet) for number, packet in packets.items()} if packets else None
    if not names and len(crossings) > MOST_DRAWN:
        yield Text()
        summaries = [
            summarise(
                wholes.get(flow.id, flow),
                conversation_of[flow.number] if flow.protocol == "tcp" else None,
            )
            for flow in flows
        ]
        shown = [
            frames_shown(len(frames_of(flow)), each.frames)
            for flow, each in zip(flows, summaries, strict=True)
        ]
        yield from draw_flow_table(summaries, shown, len(others), style)
        return
    for flow in flows:
        yield Text()
        yield style.heading(str(flow.id))
        conversation = conversation_of[flow.number] if flow.protocol == "tcp" else None
        phase_of = phases(frames_of(flow), (conversation,) if conversation else ())
        ladder = capture_ladder(flow, conversation, phase_of, named)
        yield from draw_ladder(ladder, style)
        yield from _draw_whole(flow, wholes.get(flow.id, flow), conversation, style)
    if others:
        yield Text()
        yield style.heading("Frames of no flow")
        yield from _draw_others(others, crossings[0].time_ns, style, packets)
    elif selection and not crossings:
        all_in_flows = names == (NO_FLOW,) and not selection.asked.narrows
        what = "Every frame is of a flow" if all_in_flows else "No frame is one of those asked for"
        yield Text(what, "dim")


def draw_large(
    frames: int,
    flows: Sequence[FlowSummary],
    others: int,
    canaries: int,
    style: Style,
    notes: Iterable[Text] = (),
) -> Iterator[Text]:
    """What `draw_capture` says of a file with more than MOST_DRAWN frames, all of it.

    `others` is how many of the frames are of no flow.
    """
    yield from _draw_counts(counted(frames, "frame"), len(flows), canaries, notes)
    yield Text()
    yield from draw_flow_table(flows, [str(flow.frames) for flow in flows], others, style)


def draw_reading(name: str, size_bytes: int, style: Style) -> Iterator[Text]:
    """A line for who waits until a file has been read that takes a while."""
    yield Text(f"reading {style.drawn(name)}, {size_bytes / 1e6:,.0f} MB", "dim")


def _draw_counts(frames: str, flows: int, canaries: int, notes: Iterable[Text]) -> Iterator[Text]:
    yield Text(f"{frames}, {counted(flows, 'flow')}", "bold")
    yield from notes
    if canaries:
        verb = "is" if canaries == 1 else "are"
        left_out = f"{counted(canaries, 'canary frame')} of wirelab {verb} left out"
        yield Text(left_out, "dim")


def _draw_others(
    others: Iterable[Crossing], zero_ns: int, style: Style, packets: Mapping[int, int] | None
) -> Iterator[Text]:
    for crossing in others:
        what = describe_packet(crossing.packet)
        if packets is not None:
            what = f"{packets[crossing.number]} {what}"
        ends = describe_ends(crossing.packet)
        if quoted := describe_quoted(crossing.packet):
            what += f", quotes {quoted}"
        elif ends not in what:
            what += f", {ends}"
        if carriers := carried_in(crossing.packet):
            what += f", {carriers}"
        what = style.cut(style.drawn(what), style.width - TIME_COLUMNS - 1)
        yield Text(f"{elapsed(crossing.time_ns, zero_ns):>{TIME_COLUMNS}} {what}")


def _draw_whole(
    shown: Flow, flow: Flow, conversation: TcpConversation | None, style: Style
) -> Iterator[Text]:
    """What is said of a flow below as much of it as is shown."""
    drawn, every = len(frames_of(shown)), len(frames_of(flow))
    if drawn < every:
        yield Text(f"  {drawn} of the flow's {every} frames are shown", "dim")
    if conversation is not None:
        to_server, to_client = conversation.client_to_server, conversation.server_to_client
        yield Text(
            f"  {counted(to_server.length, 'byte')} to the right, {to_client.length} to the left; "
            f"end: {conversation.teardown.value}",
            "dim",
        )
    for remark in flow_remarks(flow, conversation):
        for line in style.wrap(style.drawn(remark), style.width - 2, "  "):
            yield Text(f"  {line}", "dim")
