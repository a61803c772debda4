"""Frames whose bytes stay where they were written; each is made when it is asked for.

A frame as an object takes 200 bytes beside its own, and of a run that has half a million of them
few are looked at closely.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, overload

from lab.records.frame import Direction, Frame, LinkType

_IN, _OUT = Direction.IN, Direction.OUT


class ByteReader(Protocol):
    """Where the bytes of frames are."""

    def __call__(self, file: int, start: int, length: int) -> bytes:
        """So many bytes, from that place of one of its files on. Raises OSError."""
        ...


class FrameColumns:
    """What is known of Ethernet frames, a column for each field: 27 bytes a frame."""

    def __init__(self, points: Sequence[str], source: ByteReader) -> None:
        self.points = tuple(points)
        self.times_ns = array("q")
        self.ways = array("H")
        """Twice the number of the capture point, and 1 more of a frame that was seen leaving."""
        self.captured = array("I")
        self.wire_bytes = array("I")
        self._files = array("B")
        self._starts = array("Q")
        self._source = source
        self._kept: dict[int, bytes] = {}

    def add(
        self, time_ns: int, point: int, wire_bytes: int, file: int, start: int, captured: int,
        *, is_outgoing: bool,
    ) -> None:  # fmt: skip
        """Add a frame whose bytes are there."""
        self.times_ns.append(time_ns)
        self.ways.append(point << 1 | is_outgoing)
        self.captured.append(captured)
        self.wire_bytes.append(wire_bytes)
        self._files.append(file)
        self._starts.append(start)

    def add_all(
        self,
        times_ns: array[int],
        ways: array[int],
        wire_bytes: array[int],
        starts: array[int],
        captured: array[int],
    ) -> None:
        """Add frames whose bytes are in the first file, each by a column as it is kept here."""
        self.times_ns += times_ns
        self.ways += ways
        self.wire_bytes += wire_bytes
        self._starts += starts
        self.captured += captured
        self._files.frombytes(bytes(len(times_ns)))

    def keep(self, data: bytes) -> None:
        """Have other bytes for the frame that was added last than those that are there."""
        row = len(self.captured) - 1
        self.captured[row] = len(data)
        self._kept[row] = data

    def data(self, row: int) -> bytes:
        """A frame's bytes. Raises OSError."""
        if self._kept and row in self._kept:
            return self._kept[row]
        return self._source(self._files[row], self._starts[row], self.captured[row])

    def frame(self, row: int) -> Frame:
        """A frame. Raises OSError."""
        way = self.ways[row]
        return Frame(
            self.times_ns[row],
            self.points[way >> 1],
            _OUT if way & 1 else _IN,
            self.data(row),
            self.wire_bytes[row],
        )

    def in_order(self) -> StoredFrames:
        """All of them in order of time, and else as they were added."""
        return StoredFrames(self, sorted(range(len(self.times_ns)), key=self.times_ns.__getitem__))


class StoredFrames(Sequence[Frame]):
    """Some of such frames, in an order; equal to any sequence of the same frames."""

    __slots__ = ("_rows", "columns")

    def __init__(self, columns: FrameColumns, rows: Iterable[int]) -> None:
        self.columns = columns
        self._rows = array("I", rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Frame]:
        return map(self.columns.frame, self._rows)

    @overload
    def __getitem__(self, place: int) -> Frame: ...

    @overload
    def __getitem__(self, place: slice) -> StoredFrames: ...

    def __getitem__(self, place: int | slice) -> Frame | StoredFrames:
        if isinstance(place, slice):
            return StoredFrames(self.columns, self._rows[place])
        return self.columns.frame(self._rows[place])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StoredFrames | tuple):
            return NotImplemented
        return len(self) == len(other) and all(map(Frame.__eq__, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __reduce__(self) -> tuple[type[tuple[Frame, ...]], tuple[list[Frame]]]:
        """For another process, where there may be no such source."""
        return tuple, ([*self],)

    def at(self, places: Iterable[int]) -> StoredFrames:
        """Those at these places, in that order."""
        rows = self._rows
        return StoredFrames(self.columns, (rows[place] for place in places))

    def row(self, place: int) -> int:
        """Which row of the columns the frame at a place is."""
        return self._rows[place]

    def data(self, place: int) -> bytes:
        """The bytes of the frame at a place. Raises OSError."""
        return self.columns.data(self._rows[place])

    def raw(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Of each its time, its way as FrameColumns.ways has it, its wire length and its bytes.

        Raises OSError.
        """
        columns = self.columns
        times_ns, ways, wire_bytes = columns.times_ns, columns.ways, columns.wire_bytes
        data = columns.data
        return ((times_ns[row], ways[row], wire_bytes[row], data(row)) for row in self._rows)

    def captured(self, place: int) -> int:
        """How many bytes there are of the frame at a place."""
        return self.columns.captured[self._rows[place]]

    def wire_bytes(self, place: int) -> int:
        """The length on the wire of the frame at a place."""
        return self.columns.wire_bytes[self._rows[place]]

    def point(self, place: int) -> str:
        """The capture point of the frame at a place."""
        return self.columns.points[self.columns.ways[self._rows[place]] >> 1]

    def places_by_row(self) -> array[int]:
        """The place of each row; of rows that are not among them it means nothing."""
        found = array("I", bytes(4 * len(self.columns.times_ns)))
        for place, row in enumerate(self._rows):
            found[row] = place
        return found

    def departures_first(self) -> StoredFrames:
        """The same in order of time, in which a frame leaves before any arrives at that time."""
        times_ns, ways = self.columns.times_ns, self.columns.ways
        rows = sorted(self._rows, key=times_ns.__getitem__)
        start = 0
        for end in range(1, len(rows) + 1):
            if end < len(rows) and times_ns[rows[start]] == times_ns[rows[end]]:
                continue
            if end - start > 1:
                rows[start:end] = sorted(rows[start:end], key=lambda row: not ways[row] & 1)
            start = end
        return StoredFrames(self.columns, rows)


def times_of(frames: Sequence[Frame]) -> Iterator[int]:
    """When each was seen."""
    if isinstance(frames, StoredFrames):
        return map(frames.columns.times_ns.__getitem__, frames._rows)
    return (frame.time_ns for frame in frames)


def lengths_of(frames: Sequence[Frame]) -> Iterator[int]:
    """How many bytes of each were captured."""
    if isinstance(frames, StoredFrames):
        return map(frames.columns.captured.__getitem__, frames._rows)
    return (len(frame.data) for frame in frames)


def cut_count(frames: Sequence[Frame], but: Sequence[int] = ()) -> int:
    """How many of them are not whole, without those of these lengths."""
    if isinstance(frames, StoredFrames):
        captured, wire = frames.columns.captured, frames.columns.wire_bytes
        return sum(captured[row] < wire[row] and captured[row] not in but for row in frames._rows)
    return sum(len(each.data) < each.wire_bytes and len(each.data) not in but for each in frames)


def count_by_point(frames: Sequence[Frame]) -> Counter[str]:
    """How many each capture point saw."""
    if isinstance(frames, StoredFrames):
        ways = Counter(map(frames.columns.ways.__getitem__, frames._rows))
        found: Counter[str] = Counter()
        for way, count in ways.items():
            found[frames.columns.points[way >> 1]] += count
        return found
    return Counter(frame.point for frame in frames)


def origins_of(frames: Sequence[Frame]) -> Iterable[tuple[str, LinkType]]:
    """Their capture points and link types; each pair once at least, as they came first."""
    if isinstance(frames, StoredFrames):
        return ((point, LinkType.ETHERNET) for point in count_by_point(frames))
    return dict.fromkeys((frame.point, frame.link_type) for frame in frames)


def selected(frames: Sequence[Frame], places: Iterable[int]) -> Sequence[Frame]:
    """Those at these places, in that order."""
    if isinstance(frames, StoredFrames):
        return frames.at(places)
    return tuple([frames[place] for place in places])
