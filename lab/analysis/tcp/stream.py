"""Sequence numbers, ranges of them, and the bytes they carry.

Positions are relative sequence numbers that never wrap: 0 is the SYN, 1 the first byte.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from lab.frozen import frozen

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


class ByteStore:
    """Bytes by position; where segments overlap, the byte that came first stays."""

    __slots__ = ("_chunks", "_starts", "overlaps_differ")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._chunks: list[bytearray] = []
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

    def contiguous(self, start: int) -> bytes:
        """The bytes from `start` up to the first position without one."""
        found = bytearray()
        at = max(bisect_right(self._starts, start) - 1, 0)
        for first, chunk in zip(self._starts[at:], self._chunks[at:], strict=True):
            position = start + len(found)
            if not first <= position < first + len(chunk):
                break
            found += chunk[position - first :]
        return bytes(found)

    def add(self, start: int, data: bytes) -> None:
        """Store the bytes that begin at `start`."""
        at = bisect_right(self._starts, start) - 1
        while data:
            if at >= 0:
                data, start = self._compare(at, start, data)
            if not data:
                return
            following = at + 1
            room = len(data)
            if following < len(self._starts):
                room = min(room, self._starts[following] - start)
            if room:
                at = self._insert(at, start, data[:room])
                data, start = data[room:], start + room
            else:
                at = following

    def _compare(self, at: int, start: int, data: bytes) -> tuple[bytes, int]:
        """What is left of the data behind chunk `at`, after comparing the common part."""
        offset = start - self._starts[at]
        chunk = self._chunks[at]
        common = min(max(len(chunk) - offset, 0), len(data))
        if chunk[offset : offset + common] != data[:common]:
            self.overlaps_differ = True
        return data[common:], start + common

    def _insert(self, at: int, start: int, data: bytes) -> int:
        """Store bytes between chunk `at` and the next; the number of the chunk they are in."""
        if at >= 0 and self._starts[at] + len(self._chunks[at]) == start:
            self._chunks[at] += data
            return at
        self._starts.insert(at + 1, start)
        self._chunks.insert(at + 1, bytearray(data))
        return at + 1


@frozen
class Stream:
    """The bytes that went one way, as far as frames that carried them arrived."""

    data: bytes
    """Contiguous from position `start` up to the first gap."""
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
