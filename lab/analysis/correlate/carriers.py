"""Which segments of a TCP flow brought each byte onto the wire, and over it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from lab.analysis.tcp.segment import DISCARDED, UNTAKEN, Note
from lab.analysis.tcp.stream import Ranges
from lab.model.event import frame_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.tcp.segment import Segment
    from lab.model.event import EventId

_NO_DEPARTURE = DISCARDED | {Note.DUPLICATED, Note.CHANGED}


class Carriers:
    """The segments that carried one way's bytes. Places count from the stream's first byte, 0."""

    __slots__ = ("_arrived", "_arrived_ends", "_left", "_left_ends", "_left_starts", "is_whole")

    def __init__(self, conversation: TcpConversation, from_client: bool) -> None:
        offer = conversation.client_offer if from_client else conversation.server_offer
        self.is_whole = offer is not None
        """Whether the stream's beginning was captured: without its SYN places mean nothing."""
        pairs = zip(conversation.segments, conversation.flow.crossings, strict=True)
        own = [(s, c) for s, c in pairs if s.from_client == from_client and s.length]
        self._arrived: list[int] = []
        self._arrived_ends: list[int] = []
        self._note_departures(own)
        self._note_arrivals(own)

    def _note_departures(self, own: Iterable[tuple[Segment, Crossing]]) -> None:
        """What has not left before; a queue may have put segments into another order."""
        held = Ranges()
        pieces: list[tuple[int, int, int]] = []
        for segment, crossing in own:
            start, end = _end(segment) - segment.length, _end(segment)
            if not segment.notes & _NO_DEPARTURE:
                pieces += [(*gap, crossing.number) for gap in held.gaps(start, end)]
                held.add(start, end)
        pieces.sort()
        self._left_starts = [start for start, _, _ in pieces]
        self._left_ends = [end for _, end, _ in pieces]
        self._left = [number for _, _, number in pieces]

    def _note_arrivals(self, own: Iterable[tuple[Segment, Crossing]]) -> None:
        """A byte can be read when it and all before it are there."""
        came = [
            (c.received_ns, c.number, s)
            for s, c in own
            if c.received_ns is not None and not s.notes & UNTAKEN
        ]
        held = Ranges()
        for _, number, segment in sorted(came, key=lambda each: each[:2]):
            held.add(_end(segment) - segment.length, _end(segment))
            end = held.contiguous_end(0)
            if end > (self._arrived_ends[-1] if self._arrived_ends else 0):
                self._arrived.append(number)
                self._arrived_ends.append(end)

    @property
    def count(self) -> int:
        """How many segments carried something new."""
        return len(set(self._left))

    @property
    def left_end(self) -> int:
        """Behind the last byte that left."""
        return self._left_ends[-1] if self._left_ends else 0

    def first_to_carry(self, start: int, end: int) -> tuple[EventId, ...]:
        """The segments that first carried these bytes."""
        if start >= end or not self.is_whole:
            return ()
        first = bisect_right(self._left_ends, start)
        last = bisect_left(self._left_starts, end)
        return tuple(map(frame_id, dict.fromkeys(self._left[first:last])))

    def completed_by(self, end: int) -> EventId | None:
        """The segment whose arrival made all bytes before `end` readable."""
        if not self.is_whole:
            return None
        at = bisect_left(self._arrived_ends, end)
        return frame_id(self._arrived[at]) if at < len(self._arrived) else None


def _end(segment: Segment) -> int:
    """Where a segment's bytes end; those of a SYN, whose number is 0, begin where all do."""
    return max(segment.seq, 1) - 1 + segment.length
