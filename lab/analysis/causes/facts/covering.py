"""Of a TCP connection's segments those that carry a sequence number, found without asking all."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING

from lab.analysis.packets.packet import TcpFlags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.tcp.segment import Segment

_FIN = int(TcpFlags.FIN)


def end_of(segment: Segment) -> int:
    """The position behind its last byte, or behind its FIN."""
    return segment.seq + segment.length + bool(int(segment.flags) & _FIN)


class Covering:
    """Segments of one side or of both, by what they carry."""

    def __init__(self, segments: Iterable[Segment]) -> None:
        found = [each for each in segments if each.seq < end_of(each)]
        self._sides = {side: _Side(found, from_client=side) for side in (True, False)}

    def at(self, position: int, *, from_client: bool) -> list[Segment]:
        """Those of a side that carry the byte or FIN at that position, in order of time."""
        return self._sides[from_client].at(position)


class _Side:
    def __init__(self, segments: list[Segment], *, from_client: bool) -> None:
        own = [each for each in segments if each.from_client == from_client]
        self._segments = sorted(own, key=attrgetter("seq"))
        self._starts = [each.seq for each in self._segments]
        self._ends: list[int] = []
        """The greatest end of all up to that place: none before the first that is behind a
        position carries it."""
        latest = 0
        for each in self._segments:
            latest = max(latest, end_of(each))
            self._ends.append(latest)

    def at(self, position: int) -> list[Segment]:
        first = bisect_right(self._ends, position)
        behind = bisect_right(self._starts, position)
        found = [each for each in self._segments[first:behind] if end_of(each) > position]
        return sorted(found, key=attrgetter("crossing"))
