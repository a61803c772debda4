"""What the signs of a ladder mean, of those that it has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.text import Text

from lab.analysis.order.events import EventPart
from lab.analysis.timeline import Timeline
from lab.report.terminal.call_labels import CallLabel
from lab.report.terminal.style import Style


def draw_legend(clauses: Iterable[str], style: Style) -> Iterator[Text]:
    """The clauses, wrapped."""
    told = "; ".join(clauses)
    for line in style.wrap(told, style.width - 2) if told else ():
        yield Text(f"  {line}", "dim")


def frame_clauses(timeline: Timeline) -> Iterator[str]:
    """What stands on frames and beside them."""
    conversations = timeline.conversations
    if any(conversation.segments for conversation in conversations):
        yield "states in capitals beside a frame are inferred from the frames (RFC 9293)"
    if len(conversations) > 1:
        yield f"{conversations[0].flow.a.port}: the client's port, which tells the connection"


def trace_clauses(timeline: Timeline, labels: Iterable[CallLabel], style: Style) -> Iterator[str]:
    """Brackets, what the kernel was asked, and the calls' `labels`."""
    momentary = " or ".join(dict.fromkeys(map(style.drawn, "╶╴")))
    opening, closing = style.drawn("┌ (right: ┐)"), style.drawn("└ (right: ┘)")
    yield (
        f"{opening} a call is entered, {closing} it has returned, {momentary} nothing happened "
        "meanwhile"
    )
    threads = (label.thread for label in labels if label.thread is not None)
    if (thread := next(threads, None)) is not None:
        yield f"[{thread}] a thread's number"
    if timeline.order.concurrent:
        yield style.drawn("∥ too close to what is above it to know which was first")
    if timeline.states:
        ways = {seen.state.obtained.value for seen in timeline.states}
        yield f"kernel: a TCP state, {' or '.join(sorted(ways))} in the kernel"
    if any(event.part is EventPart.QUEUE for event in timeline.order.events):
        yield "kernel: what is left to read in a unix socket, sampled when a call ends"
