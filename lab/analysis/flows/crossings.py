"""Frames seen at two ends of a link, joined into one crossing each."""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lab.analysis.flows.crossing import Crossing
from lab.analysis.flows.late_crossing import LateCrossing, LatePackets
from lab.analysis.flows.strikes import Fates
from lab.analysis.packets.dissect import Reassembler, dissect, enter
from lab.analysis.packets.packet import Packet
from lab.analysis.plain.decode import PlainDecoder, looks_plain
from lab.model.event import EventId
from lab.records import CapturePoint, Direction, Frame, LinkType, StoredFrames, WireStrike


def crossings_of_capture(frames: Iterable[Frame]) -> tuple[Crossing, ...]:
    """Each frame of a capture with one vantage point as a crossing of its own."""
    see = dissector(tunnels=True)
    return tuple(
        Crossing(number, see(frame), "", "", frame.time_ns, frame.time_ns)
        for number, frame in enumerate(frames, start=1)
    )


def dissector(*, tunnels: bool) -> Callable[[Frame], Packet]:
    """What makes packets of frames that come in order, and datagrams of their fragments."""
    reassembler = Reassembler(enter=enter if tunnels else None)
    plain = PlainDecoder(tunnels=tunnels)

    def see(frame: Frame) -> Packet:
        # A plain frame is no fragment: it completes nothing.
        return plain.decode(frame) or reassembler.add(dissect(frame, tunnels=tunnels))

    return see


def crossings_of_file(frames: Sequence[Frame]) -> tuple[tuple[Crossing, ...], Sequence[int]]:
    """The crossings of a capture file, whose points' hosts and links are unknown.

    And of each the place of its frame, or of the one seen first, among the frames.

    If it has several points and the direction of every frame, a frame that left one and
    arrived with the same bytes at another is one crossing; else each frame is.

    The file's order is the order of what one point saw, whatever the times say: a clock can be
    set back, a wire cannot. By times only the points are put beside each other.
    """
    names = dict.fromkeys(frame.point for frame in frames)
    if len(names) < 2 or any(frame.direction is Direction.UNKNOWN for frame in frames):
        return crossings_of_capture(frames), range(len(frames))
    points = [CapturePoint(name, "", name, "", 0, 0) for name in names]
    places = _beside_each_other(frames)
    ordered = [frames[place] for place in places]
    sightings = _sightings(ordered, points, Fates(()))
    return _crossings(sightings, ordered, 1, tunnels=True), [places[s.place] for s in sightings]


def _beside_each_other(frames: Sequence[Frame]) -> list[int]:
    """The places of several points' frames in order of time, each point's as they came."""
    times_ns = _steady_times(frames)
    places: dict[str, list[int]] = defaultdict(list)
    for place, frame in enumerate(frames):
        places[frame.point].append(place)
    # A frame leaves before it arrives; at the same nanosecond, too.
    merged = heapq.merge(
        *places.values(),
        key=lambda at: (times_ns[at], frames[at].direction is not Direction.OUT, at),
    )
    return list(merged)


def _steady_times(frames: Sequence[Frame]) -> list[int]:
    """The frames' times by a clock that is never set back.

    A point that sees a time before its last one shows how far the clock was set back, at least;
    the points have one clock, so that much is added to all times from there on.
    """
    added_ns = 0
    latest: dict[str, int] = {}
    times: list[int] = []
    for frame in frames:
        time_ns = frame.time_ns + added_ns
        back_ns = latest.get(frame.point, time_ns) - time_ns
        if back_ns > 0:
            added_ns += back_ns
            time_ns += back_ns
        latest[frame.point] = time_ns
        times.append(time_ns)
    return times


@dataclass(slots=True)
class _Sighting:
    """A crossing while its frames are being joined."""

    place: int
    """The frame's, among those that are joined."""
    looks_plain: bool
    sender: str
    receiver: str
    sent_ns: int | None
    received_ns: int | None
    strikes: tuple[EventId, ...] = ()
    is_made: bool = False
    arrived_at: int = -1
    """The place of the frame as it arrived, of one that was seen leaving."""


class _Pending:
    """Frames that left, and have not arrived yet, by where they are to arrive and their bytes.

    Only of bytes that several have is there a queue: one takes more memory than a frame.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[str, str, bytes], _Sighting] = {}
        self._more: dict[tuple[str, str, bytes], deque[_Sighting]] = {}

    def add(self, where: tuple[str, str, bytes], sighting: _Sighting) -> None:
        """Have it wait there."""
        if where not in self._first:
            self._first[where] = sighting
        else:
            self._more.setdefault(where, deque()).append(sighting)

    def take(self, where: tuple[str, str, bytes]) -> _Sighting | None:
        """The one that has waited there longest, which does so no more; None if none does."""
        found = self._first.pop(where, None)
        if found is not None and self._more and (queue := self._more.get(where)):
            self._first[where] = queue.popleft()
            if not queue:
                del self._more[where]
        return found


def join_crossings(
    frames: Sequence[Frame],
    points: Sequence[CapturePoint],
    first: int = 1,
    strikes: Sequence[WireStrike] = (),
) -> tuple[Crossing, ...]:
    """The frames of several capture points as crossings, in order of time, from number `first`.

    A frame seen leaving (OUT) is joined to the earliest frame with the same bytes seen
    arriving at another point of the same link; on a link with one point (`lo`), at that
    point. A frame that only arrived keeps `sent_ns` None. `strikes` are those of the frames' step:
    one that a wire dropped or changed is joined to none, and what a wire made is said to be so.
    """
    # A frame leaves before it arrives; at the same nanosecond, too.
    if isinstance(frames, StoredFrames):
        stored = frames.departures_first()
        return _late_crossings(_sightings(stored, points, Fates(strikes)), stored, first)
    order = sorted(frames, key=lambda f: (f.time_ns, f.direction is not Direction.OUT))
    return _crossings(_sightings(order, points, Fates(strikes)), order, first, tunnels=False)


def _sightings(
    frames: Iterable[Frame], points: Sequence[CapturePoint], fates: Fates
) -> list[_Sighting]:
    """Frames that are in order, joined as join_crossings has it."""
    point_by_name = {point.name: point for point in points}
    peers: dict[str, list[CapturePoint]] = defaultdict(list)
    for point in points:
        peers[point.link].append(point)
    pending, is_late = _Pending(), isinstance(frames, StoredFrames)
    made: dict[tuple[str, str, bytes], deque[tuple[EventId, ...]]] = defaultdict(deque)
    sightings: list[_Sighting] = []
    for place, frame in enumerate(frames):
        point = point_by_name[frame.point]
        others = [peer for peer in peers[point.link] if peer is not point] or [point]
        far = others[0].host
        if frame.direction is Direction.OUT:
            fate = fates.of(frame)
            plain = is_late and is_plain(frame)
            sighting = _Sighting(place, plain, point.host, far, frame.time_ns, None)
            if fate is not None:
                sighting.strikes = fate.strikes
            for other in others:
                if fate is None or fate.arrives:
                    pending.add((point.link, other.name, frame.data), sighting)
                for data in fate.made if fate else ():
                    made[point.link, other.name, data].append(fate.strikes if fate else ())
        else:
            waiting = pending.take((point.link, point.name, frame.data))
            if waiting is not None:
                waiting.received_ns, waiting.arrived_at = frame.time_ns, place
                continue
            plain = is_late and is_plain(frame)
            sighting = _Sighting(place, plain, far, point.host, None, frame.time_ns)
            expected = made.get((point.link, point.name, frame.data))
            if expected:
                sighting.strikes, sighting.is_made = expected.popleft(), True
        sightings.append(sighting)
    return sightings


def is_plain(frame: Frame) -> bool:
    """Whether a frame looks plain: see lab.analysis.plain."""
    data = frame.data
    return frame.link_type is LinkType.ETHERNET and looks_plain(data)


def _crossings(
    sightings: Iterable[_Sighting], frames: Sequence[Frame], first: int, *, tunnels: bool
) -> tuple[Crossing, ...]:
    see = dissector(tunnels=tunnels)
    return tuple(
        _crossing(number, see(frames[s.place]), s) for number, s in enumerate(sightings, first)
    )


def _late_crossings(
    sightings: list[_Sighting], frames: StoredFrames, first: int
) -> tuple[Crossing, ...]:
    """The same of frames that are stored; what looks plain is not made yet."""
    see = dissector(tunnels=False)
    packets = LatePackets(frames, first, len(sightings))
    found: list[Crossing] = []
    sightings.reverse()
    while sightings:  # each goes when its crossing comes
        s, at = sightings.pop(), len(found)
        packets.left[at] = s.place
        packets.arrived[at] = s.place if s.arrived_at < 0 else s.arrived_at
        if s.looks_plain:
            found.append(_crossing(first + at, packets, s, LateCrossing))
        else:
            found.append(_crossing(first + at, see(frames[s.place]), s))
    return tuple(found)


def _crossing(
    number: int,
    packet: Packet | LatePackets,
    s: _Sighting,
    kind: Callable[..., Crossing] = Crossing,
) -> Crossing:
    return kind(
        number, packet, s.sender, s.receiver, s.sent_ns, s.received_ns,
        strikes=s.strikes, is_made=s.is_made,
    )  # fmt: skip
