"""The byte ruler: which calls sent bytes, which segments carried and which reads got them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lab.analysis.correlate.correlation import Channel
from lab.analysis.timeline import Timeline
from lab.model.event import EventId
from lab.report.svg.visible import visible

ByteSpan = list[int]
"""An event's number, the place of its first byte, and the place behind its last."""


def ruler_documents(timeline: Timeline, number_of: Mapping[EventId, int]) -> list[dict[str, Any]]:
    """A ruler for each way of a conversation in which calls sent or read something."""
    program_of = {endpoint.id: endpoint.program for endpoint in timeline.endpoints}
    segments = {
        segment.crossing: (segment.seq - 1, segment.seq - 1 + segment.length)
        for conversation in timeline.conversations
        for segment in conversation.segments
        if segment.length
    }
    rulers = []
    for channel in timeline.correlation.channels:
        ends = (program_of.get(each, "") or "?" for each in (channel.sender, channel.receiver))
        sends = [[number_of[p.call], p.start, p.end] for p in channel.parts if p.call in number_of]
        reads = [
            [number_of[p.call], p.start, p.end]
            for p in channel.read_parts
            if p.call in number_of and p.end > p.start
        ]
        if not sends and not reads:
            continue
        carried = list(_carried(channel, segments, number_of))
        length = max((span[2] for spans in (sends, carried, reads) for span in spans), default=0)
        if length:
            rulers.append(
                {
                    "title": visible(" → ".join(ends)),
                    "flow": "" if channel.flow is None else str(channel.flow),
                    "counts": channel.counts,
                    "length": length,
                    "rows": [["sends", sends], ["segments", carried], ["reads", reads]],
                }
            )
    return rulers


def _carried(
    channel: Channel, segments: Mapping[int, tuple[int, int]], number_of: Mapping[EventId, int]
) -> Iterator[ByteSpan]:
    """The frames that first carried the bytes; a datagram has the place of what it was sent as."""
    seen: set[EventId] = set()
    for part in channel.parts:
        for frame in part.segments:
            if frame in seen or frame not in number_of:
                continue
            seen.add(frame)
            start, end = segments.get(frame.number, (part.start, part.end))
            yield [number_of[frame], start, end]
