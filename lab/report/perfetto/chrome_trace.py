"""A run as Chrome trace events, which Perfetto's viewer opens: calls and frames as slices.

The format is Google's "Trace Event Format". A process of it is a program, or all links of a step;
a thread is one row of slices. Slices of a row never overlap: what does, such as frames in flight
at once, gets another row. Times are in microseconds since the run's first event.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.correlate.correlation import Channel
from lab.analysis.flows.crossing import Crossing, Hop
from lab.analysis.story import describe_packet
from lab.analysis.timeline import Timeline
from lab.frozen import frozen
from lab.model.event import EventId

TraceEvent = dict[str, Any]


@frozen
class Slice:
    """What lasts from one time to another on a track."""

    event: EventId
    track: str
    start_ns: int
    end_ns: int
    name: str
    category: str
    arguments: dict[str, Any]


def chrome_trace(timelines: Sequence[Timeline]) -> str:
    """The trace of a run's steps as JSON text, an event a line; equal for equal recordings."""
    events = ",\n".join(json.dumps(event) for event in trace_events(timelines))
    return f'{{"displayTimeUnit": "ns", "traceEvents": [\n{events}\n]}}\n'


def trace_events(timelines: Sequence[Timeline]) -> list[TraceEvent]:
    """The same as JSON types: metadata and slices process by process, then each step's arrows."""
    steps = [(timeline, _processes(timeline)) for timeline in timelines]
    starts = [each.start_ns for _, found in steps for slices in found.values() for each in slices]
    origin_ns = min(starts, default=0)
    events: list[TraceEvent] = []
    arrows = 0
    process = 0
    for timeline, processes in steps:
        places: dict[EventId, list[tuple[Slice, TraceEvent]]] = {}
        for title, slices in processes.items():
            process += 1
            name = f"{timeline.step}: {title}" if len(timelines) > 1 else title
            events.append(_named("process_name", process, 0, name))
            for thread, (row, members) in enumerate(_rows(slices), start=1):
                events.append(_named("thread_name", process, thread, row))
                for each in members:
                    event = _complete(each, process, thread, origin_ns)
                    events.append(event)
                    places.setdefault(each.event, []).append((each, event))
        for chain in _chains(timeline.correlation.channels):
            steps_of_arrow = _steps(chain, places)
            if len(steps_of_arrow) > 1:
                arrows += 1
                events += _arrow(arrows, steps_of_arrow, origin_ns)
    return events


def _processes(timeline: Timeline) -> dict[str, list[Slice]]:
    """The slices of each program, and of the links."""
    found: dict[str, list[Slice]] = {run.name: [] for run in timeline.programs}
    last_ns = max(
        [crossing.time_ns for crossing in timeline.crossings]
        + [call.exit_ns or call.entry_ns for call in timeline.system_calls],
        default=0,
    )
    ended = {run.name: run.ended_ns or last_ns for run in timeline.programs}
    for call in timeline.system_calls:
        end_ns = ended.get(call.program, last_ns) if call.exit_ns is None else call.exit_ns
        found.setdefault(call.program, []).append(_call(call, end_ns))
    links = [each for crossing in timeline.crossings for each in _frames(crossing)]
    return found | ({"links": links} if links else {})


def _call(call: SystemCall, end_ns: int) -> Slice:
    arguments = {
        "event": str(call.id),
        "call": call.text,
        "result": call.returned,
        "returned": call.exit_ns is not None,
        "moved": call.moved,
    }
    track = f"{call.program} thread {call.tid}"
    # A call that began as its program ended lasts no time; none ends before it begins.
    end_ns = max(call.entry_ns, end_ns)
    return Slice(call.id, track, call.entry_ns, end_ns, call.title, "call", arguments)


def _frames(crossing: Crossing) -> Iterator[Slice]:
    """A slice for each link on a frame's way; one that a single point saw lasts no time."""
    links: Sequence[Crossing | Hop] = crossing.hops or (crossing,)
    for number, hop in enumerate(links, start=1):
        times = [each for each in (hop.sent_ns, hop.received_ns) if each is not None]
        if not times:
            continue
        arguments = {
            "event": str(crossing.id),
            "link": number,
            "bytes": hop.packet.frame.wire_bytes,
            "seen_leaving": hop.sent_ns is not None,
            "seen_arriving": hop.received_ns is not None,
        }
        name = describe_packet(hop.packet)
        # Where a stamp of arrival is before that of leaving, the slice is between them as well.
        yield Slice(
            crossing.id,
            f"{hop.sender or '?'} → {hop.receiver or '?'}",
            min(times),
            max(times),
            name,
            "frame",
            arguments,
        )


def _rows(slices: Iterable[Slice]) -> list[tuple[str, list[Slice]]]:
    """Each track's slices in rows in which one begins only after the one before has ended."""
    tracks: dict[str, list[list[Slice]]] = {}
    for each in sorted(slices, key=lambda each: (each.start_ns, each.event.number)):
        rows = tracks.setdefault(each.track, [])
        free = next((row for row in rows if row[-1].end_ns < each.start_ns), None)
        if free is None:
            rows.append([each])
        else:
            free.append(each)
    return [
        (track if number == 1 else f"{track} ({number})", row)
        for track, rows in tracks.items()
        for number, row in enumerate(rows, start=1)
    ]


def _chains(channels: Iterable[Channel]) -> Iterator[tuple[EventId, ...]]:
    """From a call that sent, over a frame where there is one, to a call that read."""
    for channel in channels:
        woken: dict[EventId, list[EventId]] = {}
        for read in channel.read_parts:
            if read.segment is not None:
                woken.setdefault(read.segment, []).append(read.call)
        for part in channel.parts:
            reads_of = {
                segment: [call for call in woken.get(segment, ()) if call in part.reads]
                for segment in part.segments
            }
            followed = {call for calls in reads_of.values() for call in calls}
            # A later call's frame made these whole, but the last of these bytes came with this one.
            left = [call for call in part.reads if call not in followed]
            if reads_of:
                reads_of[part.segments[-1]] += left
            else:
                yield from ((part.call, call) for call in left)
            for segment, calls in reads_of.items():
                yield from ((part.call, segment, call) for call in calls)
                if not calls:
                    yield part.call, segment


def _steps(
    chain: Iterable[EventId], places: dict[EventId, list[tuple[Slice, TraceEvent]]]
) -> list[tuple[int, TraceEvent]]:
    """When an arrow is in which slices, never backwards in time.

    A slice that lasts no time, or ended before the arrow came there, has no place for it.
    """
    found: list[tuple[int, TraceEvent]] = []
    for event in chain:
        for each, placed in places.get(event, ()):
            time_ns = max(each.start_ns, found[-1][0] if found else each.start_ns)
            # A read that waited goes on from when the frame had arrived.
            if each.category == "call" and found:
                time_ns = max(time_ns, _left(each, found[-1][1]))
            if time_ns < each.end_ns:
                found.append((time_ns, placed))
    return found


def _left(reading: Slice, before: TraceEvent) -> int:
    """When the frame before had arrived, if the call that read it still went on."""
    end_ns: int = before["args"]["end_ns"]
    return end_ns if before["cat"] == "frame" and end_ns < reading.end_ns else reading.start_ns


def _arrow(
    number: int, steps: Sequence[tuple[int, TraceEvent]], origin_ns: int
) -> Iterator[TraceEvent]:
    """The arrow's flow events; "bp" binds its end to the slice around it."""
    phases = ["s", *["t"] * (len(steps) - 2), "f"]
    for phase, (time_ns, placed) in zip(phases, steps, strict=True):
        yield {
            "ph": phase,
            "id": number,
            "name": "bytes",
            "cat": "bytes",
            "pid": placed["pid"],
            "tid": placed["tid"],
            "ts": _microseconds(time_ns - origin_ns),
            "bp": "e",
        }


def _complete(each: Slice, process: int, thread: int, origin_ns: int) -> TraceEvent:
    return {
        "ph": "X",
        "name": each.name,
        "cat": each.category,
        "pid": process,
        "tid": thread,
        "ts": _microseconds(each.start_ns - origin_ns),
        "dur": _microseconds(each.end_ns - each.start_ns),
        "args": {**each.arguments, "start_ns": each.start_ns, "end_ns": each.end_ns},
    }


def _microseconds(nanoseconds: int) -> float:
    return nanoseconds / 1000


def _named(kind: str, process: int, thread: int, name: str) -> TraceEvent:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}
