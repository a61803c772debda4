"""Sequence numbers, ranges of them, and the bytes they carry.

Positions are relative sequence numbers that never wrap: 0 is the SYN, 1 the first byte.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from lab.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.packets.packet import Payload

_SEQUENCE_SPACE = 1 << 32
_HALF = 1 << 31


def unwrap(number: int, base: int, near: int) -> int:
    """The position of a 32-bit sequence number, relative to `base`, closest to `near`.

    Source: RFC 9293, 3.4: all arithmetic on sequence numbers is modulo 2**32.
    """
    return near + (number - base - near + _HALF) % _SEQUENCE_SPACE - _HALF


class Ranges:
    """A set of positions, kept as sorted ranges [start, end) that do not touch."""

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    @property
    def end(self) -> int | None:
        """The position after the highest one in the set."""
        return self._ends[-1] if self._ends else None

    def overlaps(self, start: int, end: int) -> bool:
        """Whether any position of [start, end) is in the set."""
        after = bisect_right(self._ends, start)
        return start < end and after < len(self._starts) and self._starts[after] < end

    def lacks(self, start: int, end: int) -> bool:
        """Whether any position of [start, end) is not in the set."""
        at = bisect_right(self._starts, start) - 1
        return start < end and (at < 0 or self._ends[at] < end)

    def contiguous_end(self, start: int) -> int:
        """The first position from `start` on that is not in the set."""
        at = bisect_right(self._starts, start) - 1
        return max(start, self._ends[at]) if at >= 0 else start

    def add(self, start: int, end: int) -> None:
        """Put [start, end) into the set."""
        if start >= end:
            return
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        if first < last:
            start = min(start, self._starts[first])
            end = max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def gaps(self, start: int, end: int) -> tuple[tuple[int, int], ...]:
        """The parts of [start, end) that are not in the set."""
        found: list[tuple[int, int]] = []
        at = start
        for first, last in zip(self._starts, self._ends, strict=True):
            if at < min(first, end):
                found.append((at, min(first, end)))
            at = max(at, last)
        if at < end:
            found.append((at, end))
        return tuple(found)


class _Chunk:
    """Bytes without a gap: what frames carried, one part behind another, of which none is copied.

    As bytes of its own a stream took as much memory again as all of its frames.
    """

    __slots__ = ("_ends", "parts")

    def __init__(self, part: Payload) -> None:
        self.parts = [part]
        self._ends = array("q", (part.size,))
        """Where in the chunk each part ends."""

    def __len__(self) -> int:
        return self._ends[-1]

    def add(self, part: Payload) -> None:
        """Have it behind all others."""
        self.parts.append(part)
        self._ends.append(self._ends[-1] + part.size)

    def within(self, start: int, end: int) -> list[Payload]:
        """The parts from one place in the chunk to another, cut to what is between."""
        found: list[Payload] = []
        at = bisect_right(self._ends, start)
        while start < min(end, len(self)):
            begins = self._ends[at] - self.parts[at].size
            found.append(self.parts[at].part(start - begins, end - begins))
            start = self._ends[at]
            at += 1
        return found


class ByteStore:
    """Bytes by position; where segments overlap, the byte that came first stays."""

    __slots__ = ("_chunks", "_starts", "overlaps_differ")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._chunks: list[_Chunk] = []
        self.overlaps_differ = False

    @property
    def length(self) -> int:
        """How many different positions have a byte."""
        return sum(map(len, self._chunks))

    @property
    def first(self) -> int | None:
        """The lowest position with a byte."""
        return self._starts[0] if self._starts else None

    def held(self) -> Ranges:
        """The positions that have a byte."""
        ranges = Ranges()
        for start, chunk in zip(self._starts, self._chunks, strict=True):
            ranges.add(start, start + len(chunk))
        return ranges

    def contiguous(self, start: int) -> tuple[Payload, ...]:
        """What is from `start` up to the first position without a byte, in parts."""
        found: list[Payload] = []
        position = start
        at = max(bisect_right(self._starts, start) - 1, 0)
        for first, chunk in zip(self._starts[at:], self._chunks[at:], strict=True):
            if not first <= position < first + len(chunk):
                break
            whole = position == first
            found += chunk.parts if whole else chunk.within(position - first, len(chunk))
            position = first + len(chunk)
        return tuple(found)

    def add(self, start: int, part: Payload) -> None:
        """Store the bytes that begin at `start`."""
        at = bisect_right(self._starts, start) - 1
        while part.size:
            if at >= 0:
                common = self._compare(at, start, part)
                part, start = part.part(common), start + common
            if not part.size:
                return
            following = at + 1
            room = part.size
            if following < len(self._starts):
                room = min(room, self._starts[following] - start)
            if room:
                at = self._insert(at, start, part.part(0, room))
                part, start = part.part(room), start + room
            else:
                at = following

    def _compare(self, at: int, start: int, part: Payload) -> int:
        """How many bytes the part has in common with chunk `at`, after comparing them."""
        offset = start - self._starts[at]
        chunk = self._chunks[at]
        common = min(max(len(chunk) - offset, 0), part.size)
        if common and joined(chunk.within(offset, offset + common)) != part.data[:common]:
            self.overlaps_differ = True
        return common

    def _insert(self, at: int, start: int, part: Payload) -> int:
        """Store bytes between chunk `at` and the next; the number of the chunk they are in."""
        if at >= 0 and self._starts[at] + len(self._chunks[at]) == start:
            self._chunks[at].add(part)
            return at
        self._starts.insert(at + 1, start)
        self._chunks.insert(at + 1, _Chunk(part))
        return at + 1


def joined(parts: Iterable[Payload]) -> bytes:
    """The bytes of these, one behind another."""
    return b"".join([part.data for part in parts])


@frozen
class Stream:
    """The bytes that went one way, as far as frames that carried them arrived."""

    parts: tuple[Payload, ...]
    """What frames brought, from position `start` up to the first gap."""
    start: int
    """Relative sequence number of data[0]: 1, or less where a capture that began later
    holds bytes from before its first known one."""
    gaps: tuple[tuple[int, int], ...]
    """Ranges [start, end) of relative sequence numbers whose bytes no frame brought: lost,
    not captured, or cut off by the capture."""
    overlaps_differ: bool
    """Whether two segments carried different bytes for one position; the first were kept."""
    length: int
    """Different payload bytes held, those behind gaps included."""
    sent_bytes: int
    """Payload bytes of all segments sent, lost and retransmitted ones included."""
    fin: int | None
    """Crossing number of the first FIN sent."""
    fin_acked: int | None
    """Crossing number of the first segment received that acknowledges that FIN."""

    @property
    def data(self) -> bytes:
        """Contiguous from position `start` up to the first gap; put together each time."""
        return joined(self.parts)
