"""What a capture file held, and what of it could not be had."""

from __future__ import annotations

from dataclasses import replace

from lab.errors import CaptureFileError
from lab.frozen import frozen
from lab.pcap.link_types import LINK_TYPES, UPPER_PDU, link_type_name
from lab.records import Direction, Frame

TYPE_CHECKING = False  # importing typing itself costs some 3 ms of every start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.records import SharedBytes

_MAX_TIME_NS = 2**64 - 1
"""In July 2554: the last that a writer can put down in nanoseconds."""


@frozen
class LeftOut:
    """Packets of one interface that are no frames the lab dissects."""

    point: str
    link_type: str
    """Its number and its name: "220 (USB_LINUX_MMAPPED)"."""
    packets: int
    first: int
    """The first one's number in the file, from 1."""


@frozen
class Untimed:
    """Packets that have no time of their own; each has that of the one before it."""

    impossible: bool
    """Whether they had one that is before 1970 or after 2554; else the file gives none."""
    packets: int
    first: int
    """The first one's number in the file, from 1."""


@frozen
class ClockStep:
    """A packet whose time is before that of the one before it at the same interface."""

    packet: int
    """Its number in the file, from 1."""
    back_ns: int


@frozen
class ClockSteps:
    """How often, and how far, the clock of a capture was set back."""

    times: int
    first: ClockStep
    largest: ClockStep


@frozen
class CaptureFile:
    """The frames of a capture file, as far as it could be read."""

    name: str
    """The file's, as it may stand in a message."""
    frames: tuple[Frame, ...]
    """In the order of the file."""
    numbers: Sequence[int] = ()
    """The frames' numbers in the file, from 1: there may be packets between that are no frames."""
    left_out: tuple[LeftOut, ...] = ()
    untimed: tuple[Untimed, ...] = ()
    clock_steps: ClockSteps | None = None
    """None where every interface's times run forward."""
    broken: str = ""
    """Where the reading had to end and why; "" where the file was read whole."""
    stopped: bool = False
    """Whether the reading was ended while more might have come."""


class BrokenError(Exception):
    """A place in a file beyond which it cannot be read. Caught where the reading began."""

    def __init__(self, offset: int, what: str, place: str = "") -> None:
        super().__init__(offset, what, place)
        self.offset = offset
        """In bytes from the file's beginning, decompressed ones if it is compressed."""
        self.what = what
        self.place = place
        """The same place in the file's own units: "packet 3"."""

    def __str__(self) -> str:
        place = f" ({self.place})" if self.place else ""
        return f"at byte {self.offset}{place}: {self.what}"


def unreadable(name: str, what: object) -> CaptureFileError:
    """The error for a capture file of that name of which nothing can be shown."""
    return CaptureFileError(f"cannot read {name}: {what}")


def cut_short(offset: int, what: str, needed: int, left: int) -> BrokenError:
    """The error for a file that ends inside the `what` at `offset`, with `left` bytes of it."""
    return BrokenError(offset, f"the file ends inside {what}: bytes needed: {needed}, left: {left}")


class Reading:
    """A capture while it is being read."""

    def __init__(self, shared: SharedBytes | None = None) -> None:
        """With `shared` the bytes of frames that the file has twice are kept once."""
        self.frames: list[Frame] = []
        self._shared = shared
        self.packets = 0
        """How many have begun so far, notes and those that are left out included."""
        self.taken = 0
        """How many of them could be read."""
        self._passed: set[int] = set()
        """The numbers of those that were read and are no frames."""
        self._left_out: dict[tuple[str, int], LeftOut] = {}
        self._untimed: dict[bool, Untimed] = {}
        self._clock_steps: ClockSteps | None = None
        self._latest: dict[str, int] = {}
        """The last time at each point."""
        self._time_ns: int | None = None

    def add(
        self,
        time_ns: int | None,
        point: str,
        direction: Direction,
        data: bytes,
        wire_bytes: int,
        link_number: int,
    ) -> None:
        """Take the packet that was counted last; `time_ns` is None where the file gives none."""
        self.taken += 1
        link_type = LINK_TYPES.get(link_number)
        if link_type is None:
            self._passed.add(self.packets)
            if link_number != UPPER_PDU:
                self._leave_out(point, link_number)
            return
        if time_ns is None or not 0 <= time_ns <= _MAX_TIME_NS:
            self._note_untimed(impossible=time_ns is not None)
            time_ns = self._time_ns or 0
        else:
            if self._time_ns is None:
                self.frames = [replace(frame, time_ns=time_ns) for frame in self.frames]
            self._time_ns = time_ns
            back_ns = self._latest.get(point, time_ns) - time_ns
            if back_ns > 0:
                self._note_step(ClockStep(self.packets, back_ns))
            self._latest[point] = time_ns
        if self._shared is not None:
            data = self._shared.same(data)
        self.frames.append(Frame(time_ns, point, direction, data, wire_bytes, link_type))

    def _leave_out(self, point: str, link_number: int) -> None:
        key = point, link_number
        known = self._left_out.get(key)
        if known is None:
            known = LeftOut(point, link_type_name(link_number), 0, self.packets)
        self._left_out[key] = replace(known, packets=known.packets + 1)

    def _note_step(self, step: ClockStep) -> None:
        known = self._clock_steps or ClockSteps(0, step, step)
        largest = max(known.largest, step, key=lambda each: each.back_ns)
        self._clock_steps = ClockSteps(known.times + 1, known.first, largest)

    def _note_untimed(self, *, impossible: bool) -> None:
        known = self._untimed.get(impossible) or Untimed(impossible, 0, self.packets)
        self._untimed[impossible] = replace(known, packets=known.packets + 1)

    def capture(self, name: str, broken: str, *, stopped: bool) -> CaptureFile:
        """What was read."""
        numbers: Sequence[int] = range(1, self.taken + 1)
        if self._passed:
            numbers = tuple(number for number in numbers if number not in self._passed)
        return CaptureFile(
            name,
            tuple(self.frames),
            numbers,
            tuple(self._left_out.values()),
            tuple(self._untimed.values()),
            self._clock_steps,
            broken,
            stopped,
        )
