"""What is known of a capture file while it is read in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lab.pcap.capture import CaptureFile, ClockStep, ClockSteps, LeftOut, Reading
from lab.pcap.link_types import LINK_TYPES, UPPER_PDU, link_type_name
from lab.records import DIRECTIONS
from lab.records.bulk.batch import FrameBatch

if TYPE_CHECKING:
    from lab.records.bulk.batch import Flags, Ints, Octets

UNKNOWN_DIRECTION = 0
"""Its place in DIRECTIONS."""

BATCH_BYTES = 8 << 20
"""So much of a file is read at once. More makes nothing faster, and takes more memory."""

LEAST_BYTES = 1 << 20
"""As long as so much is left of what was read, no more is: a packet is shorter."""


class NotInBulkError(Exception):
    """Something that batches cannot hold: the file has to be read a packet at a time."""


class BulkReading:
    """A capture file while it is read in batches: its points, and what is to be said of it.

    Packets that are taken one at a time, for whatever is odd about them, go through `slow`.
    """

    def __init__(self) -> None:
        self.points: list[str] = []
        """The names of the capture points, by their numbers in batches."""
        self.slow = Reading()
        self._left_out: dict[tuple[str, str], LeftOut] = {}
        self._clock_steps: ClockSteps | None = None
        self._latest: dict[int, int] = {}
        """The last time at each point."""

    def point(self, name: str) -> int:
        """The number of the point of that name."""
        if name not in self.points:
            self.points.append(name)
        return self.points.index(name)

    def take(
        self,
        data: Octets,
        starts: Ints,
        captured: Ints,
        wire: Ints,
        time_ns: Ints,
        points: Ints,
        link_numbers: Ints,
        directions: Ints,
        offset: int,
    ) -> FrameBatch:
        """Take the packets that come next; of them, those that are frames the lab dissects.

        `offset` is where in the file `data` begins, `link_numbers` are as the file has them.
        """
        first = self.slow.packets + 1
        count = len(starts)
        numbers = np.arange(first, first + count, dtype=np.int64)
        self.slow.packets += count
        self.slow.taken += count
        known = np.zeros(count, dtype=bool)
        links = link_numbers.copy()
        for number in np.unique(link_numbers).tolist():
            of_number = link_numbers == number
            link_type = LINK_TYPES.get(number)
            if link_type is not None:
                known |= of_number
                links[of_number] = link_type.value
            elif number != UPPER_PDU:
                self._leave_out(of_number, number, points, numbers)
        batch = FrameBatch(
            data, starts, captured, wire, time_ns, points, links, directions, numbers,
            starts + offset,
        )  # fmt: skip
        if not known.all():
            batch = batch.kept(known)
        self._note_steps(batch)
        return batch

    def check_slow(self) -> None:
        """Raise NotInBulkError where a frame had to be taken one at a time."""
        if self.slow.frames:
            raise NotInBulkError("a packet is in no block that has all of its columns")

    def capture(self, name: str, broken: str, *, stopped: bool) -> CaptureFile:
        """What was read, without its frames."""
        left_out = dict(self._left_out)
        slow = self.slow.capture(name, broken, stopped=stopped)
        for each in slow.left_out:  # too long for a batch, as a packet of USB may be
            known = left_out.get((each.point, each.link_type), each)
            packets = each.packets + (known.packets if known is not each else 0)
            first = min(known.first, each.first)
            made = LeftOut(each.point, each.link_type, packets, first)
            left_out[each.point, each.link_type] = made
        return CaptureFile(
            name,
            (),
            (),
            tuple(sorted(left_out.values(), key=lambda each: each.first)),
            (),
            self._clock_steps,
            broken,
            stopped,
        )

    def _leave_out(self, mask: Flags, number: int, points: Ints, packets: Ints) -> None:
        for point in np.unique(points[mask]).tolist():
            of_point = mask & (points == point)
            first = int(packets[of_point][0])
            key = self.points[point], link_type_name(number)
            known = self._left_out.get(key) or LeftOut(*key, 0, first)
            count = known.packets + int(of_point.sum())
            self._left_out[key] = LeftOut(known.point, known.link_type, count, known.first)

    def _note_steps(self, batch: FrameBatch) -> None:
        """Note where a point's clock was set back."""
        back = np.zeros(len(batch), dtype=np.int64)
        for point in np.unique(batch.points).tolist():
            (at,) = np.nonzero(batch.points == point)
            times = batch.time_ns[at]
            before = self._latest.get(point, int(times[0]))
            back[at] = np.concatenate((np.array([before]), times[:-1])) - times
            self._latest[point] = int(times[-1])
        (steps,) = np.nonzero(back > 0)
        if not len(steps):
            return
        at_largest = int(steps[np.argmax(back[steps])])
        first, largest = (
            ClockStep(int(batch.numbers[at]), int(back[at])) for at in (int(steps[0]), at_largest)
        )
        known = self._clock_steps
        if known is not None:
            first = known.first
            largest = max(known.largest, largest, key=lambda each: each.back_ns)
        self._clock_steps = ClockSteps((known.times if known else 0) + len(steps), first, largest)


def padded(data: bytes | memoryview, padding: int) -> Octets:
    """The bytes as an array, with zeros behind them, up to a multiple of 8 bytes."""
    size = len(data)
    array = np.zeros(size + padding + -(size + padding) % 8, dtype=np.uint8)
    array[:size] = np.frombuffer(data, dtype=np.uint8)
    return array


assert DIRECTIONS[UNKNOWN_DIRECTION].value == "unknown"
