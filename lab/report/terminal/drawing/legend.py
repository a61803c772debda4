"""What the signs of a ladder mean, of those that it has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.text import Text

from lab.ladder.model import CallRow, FrameRow, Ladder, QueueRow, StateRow
from lab.report.terminal.drawing.style import Style


def draw_legend(clauses: Iterable[str], style: Style) -> Iterator[Text]:
    """The clauses, wrapped."""
    text = "; ".join(clauses)
    for line in style.wrap(text, style.width - 2) if text else ():
        yield Text(f"  {line}", "dim")


def legend_of(ladder: Ladder, style: Style) -> Iterator[str]:
    """A clause for each sign: of calls and the kernel first, then of frames."""
    rows = list(ladder.every_row())
    calls = [row for row in rows if isinstance(row, CallRow)]
    frames = [row for row in rows if isinstance(row, FrameRow)]
    if calls:
        yield from _call_clauses(calls, style)
        if any(getattr(row, "is_concurrent", False) for row in rows):
            yield style.drawn("∥ too close to what is above it to know which was first")
        if ways := {row.obtained.value for row in rows if isinstance(row, StateRow)}:
            yield f"kernel: a TCP state, {' or '.join(sorted(ways))} in the kernel"
        if any(isinstance(row, QueueRow) for row in rows):
            yield "kernel: what is left to read in a unix socket, sampled when a call ends"
    if any(row.is_segment for row in frames):
        yield "states in capitals beside a frame are inferred from the frames (RFC 9293)"
    if any(row.sender_differs or row.receiver_differs for row in frames):
        yield style.drawn("≠ the kernel's state, where the frames imply another")
    if port := next((row.connection for row in frames if row.connection), ""):
        yield f"{port}: the client's port, which identifies the connection"


def _call_clauses(calls: list[CallRow], style: Style) -> Iterator[str]:
    momentary = " or ".join(dict.fromkeys(map(style.drawn, "╶╴")))
    opening, closing = style.drawn("┌ (right: ┐)"), style.drawn("└ (right: ┘)")
    yield (
        f"{opening} a call is entered, {closing} it has returned, {momentary} nothing happened "
        "meanwhile"
    )
    threads = (row.label.thread for row in calls if row.label.thread is not None)
    if (thread := next(threads, None)) is not None:
        yield f"[{thread}] a thread's number"
