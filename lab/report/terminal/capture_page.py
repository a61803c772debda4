"""The page of a capture file: its flows, and the frames of none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from lab.analysis.encapsulation import carried_in, describe_ends
from lab.analysis.flow_remarks import flow_remarks
from lab.analysis.flow_summary import Choice, frames_of, frames_of_none
from lab.analysis.story import Phase, describe_packet, describe_quoted, phases
from lab.analysis.tcp.conversation import TcpConversation
from lab.ladder.capture import capture_ladder
from lab.model.counted import counted
from lab.report.terminal.drawing.board import TIME_COLUMNS, elapsed
from lab.report.terminal.drawing.ladder import draw_ladder
from lab.report.terminal.drawing.style import Style
from lab.report.terminal.flow_table import draw_flow_table

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow

MOST_DRAWN = 50
"""Of a file with more frames, none is drawn before a flow is chosen."""


def draw_capture(
    crossings: tuple[Crossing, ...],
    flows: tuple[Flow, ...],
    conversations: tuple[TcpConversation, ...],
    canaries: int,
    style: Style,
    notes: Iterable[Text] = (),
    choice: Choice | None = None,
) -> Iterator[Text]:
    """A capture file's flows, each with its ladder, and the frames that belong to none.

    Of a file with more than MOST_DRAWN frames it is a table of them, unless there is a `choice`.
    `notes` are lines about the file that stand below the counts.
    """
    counts = counted(len(crossings), "frame"), counted(len(flows), "flow")
    yield Text(", ".join(counts), "bold")
    yield from notes
    if canaries:
        verb = "is" if canaries == 1 else "are"
        left_out = f"{counted(canaries, 'canary frame')} of wirelab {verb} left out"
        yield Text(left_out, "dim")
    conversation_of = {conversation.flow.number: conversation for conversation in conversations}
    others = frames_of_none(crossings, flows) if choice is None or choice.others else []
    if choice is None and len(crossings) > MOST_DRAWN:
        yield Text()
        yield from draw_flow_table(flows, conversation_of, others, style)
        return
    for flow in flows if choice is None else choice.flows:
        yield Text()
        yield style.heading(str(flow.id))
        conversation = conversation_of[flow.number] if flow.protocol == "tcp" else None
        phase_of = phases(frames_of(flow), (conversation,) if conversation else ())
        yield from _draw_flow(flow, conversation, phase_of, style)
    if others:
        yield Text()
        yield style.heading("Frames of no flow")
        yield from _draw_others(others, crossings[0].time_ns, style)
    elif choice is not None and choice.others:
        yield Text("Every frame is of a flow", "dim")


def _draw_others(others: Iterable[Crossing], zero_ns: int, style: Style) -> Iterator[Text]:
    for crossing in others:
        what = describe_packet(crossing.packet)
        ends = describe_ends(crossing.packet)
        if quoted := describe_quoted(crossing.packet):
            what += f", quotes {quoted}"
        elif ends not in what:
            what += f", {ends}"
        if carriers := carried_in(crossing.packet):
            what += f", {carriers}"
        what = style.cut(style.drawn(what), style.width - TIME_COLUMNS - 1)
        yield Text(f"{elapsed(crossing.time_ns, zero_ns):>{TIME_COLUMNS}} {what}")


def _draw_flow(
    flow: Flow,
    conversation: TcpConversation | None,
    phase_of: dict[int, Phase],
    style: Style,
) -> Iterator[Text]:
    yield from draw_ladder(capture_ladder(flow, conversation, phase_of), style)
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
