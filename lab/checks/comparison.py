"""Checks of what the same messages cost over different sockets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import reads_of, sends_of
from lab.analysis.comparison import COMPARED, Column, compare_steps, comparison_rows
from lab.model.claim import Verdict, broken, claim, frame_ids, holds, undecided
from lab.model.counted import counted
from lab.model.table import Table

if TYPE_CHECKING:
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId


@claim(
    "Each of them carries the same messages there and the answer back.",
    source="socket(7)",
    name="messages",
)
def carries_the_same_messages(first: Timeline, second: Timeline, *others: Timeline) -> Verdict:
    """Every step's programs sent as much, and what was sent was read in order."""
    timelines = (first, second, *others)
    columns = compare_steps(timelines)
    if silent := _silence(columns):
        return undecided(silent)
    evidence = _evidence(timelines)
    sizes = {column.payload_bytes for column in columns}
    lost = [column.step for column in columns if not column.keeps_order]
    if len(sizes) > 1:
        return broken(f"the steps sent different amounts: {sorted(sizes)} bytes", evidence)
    if lost:
        return broken(f"what was read differs from what was sent in {', '.join(lost)}", evidence)
    return holds(
        f"{counted(sizes.pop(), 'byte')} in each of {len(columns)} steps, all read in order",
        evidence,
    )


@claim(
    "TCP pays for its connection with frames and a round trip; UDP has none.",
    source="RFC 9293, 3.5 and 3.6; RFC 768",
    name="connection",
)
def costs_frames_to_connect(over_stream: Timeline, over_datagrams: Timeline) -> Verdict:
    """The stream's exchange needs more frames than the datagrams', to open and to close."""
    timelines = (over_stream, over_datagrams)
    columns = compare_steps(timelines)
    if silent := _silence(columns):
        return undecided(silent)
    evidence = _evidence(timelines)
    stream, datagram = columns
    trips = (
        "no byte on the wire"
        if stream.round_trips is None
        else f"{counted(stream.round_trips, 'round trip')} before the first byte"
    )
    why = (
        f"{stream.step}: {counted(stream.frames - stream.neighbour_frames, 'frame')}, "
        f"{stream.opening_frames} to open and {stream.closing_frames} without data to close, "
        f"{trips}; {datagram.step}: "
        f"{counted(datagram.frames - datagram.neighbour_frames, 'frame')}, "
        f"{datagram.opening_frames} and {datagram.closing_frames}, {datagram.round_trips}"
    )
    fits = (
        stream.opening_frames == 3
        and stream.round_trips == 1
        and stream.closing_frames > 0
        and datagram.opening_frames == datagram.closing_frames == datagram.round_trips == 0
        and stream.wire_bytes > datagram.wire_bytes
    )
    return holds(why, evidence) if fits else broken(why, evidence)


@claim(
    "Datagrams keep message boundaries; a TCP or unix stream does not.",
    source="socket(2), SOCK_STREAM and SOCK_DGRAM",
    statements=("T1", "T2"),
    name="boundaries",
)
def keeps_boundaries_in_datagrams_only(
    first: Timeline, second: Timeline, *others: Timeline
) -> Verdict:
    """The reads are cut as the sends in just the steps over UDP."""
    timelines = (first, second, *others)
    columns = compare_steps(timelines)
    if silent := _silence(columns):
        return undecided(silent)
    evidence = _evidence(timelines)
    kept = [column.step for column in columns if column.keeps_boundaries]
    wanted = [
        timeline.step
        for timeline in timelines
        if any(flow.protocol == "udp" for flow in timeline.flows)
    ]
    why = f"kept in {', '.join(kept) or 'none'} of {', '.join(c.step for c in columns)}"
    return holds(why, evidence) if kept == wanted else broken(why, evidence)


def _silence(columns: Sequence[Column]) -> str:
    """Why the steps cannot be compared, or "": some programs printed nothing."""
    silent = [column.step for column in columns if not column.payload_bytes]
    return f"the programs printed no calls in {', '.join(silent)}" if silent else ""


def costs_of_sockets(*timelines: Timeline) -> Table:
    """What the same exchange took: a column for each step, a row for each thing compared."""
    columns = compare_steps(timelines)
    rows = tuple((name, *cells) for name, cells in comparison_rows(columns))
    return Table(("", *(column.step for column in columns)), rows[1:], COMPARED)


def _evidence(timelines: Sequence[Timeline]) -> tuple[EventId, ...]:
    """What a comparison rests on: every frame, send and read of its steps."""
    frames = frame_ids(crossing.number for t in timelines for crossing in t.crossings)
    calls = [call for t in timelines for printed in t.calls.values() for call in printed]
    return (*frames, *(call.id for call in (*sends_of(calls), *reads_of(calls))))
