"""The canaries taken out of a recording, and what they prove of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from lab.frozen import frozen
from lab.model.counted import counted
from lab.records import Canary, Direction, Frame, Recording
from lab.records.stored_frames import count_by_point, cut_count, lengths_of, selected, times_of

ETHERNET_HEADER_BYTES = 14
VLAN_TAG_BYTES = 4
FOREVER_NS = 1 << 64
CLOCK_STEP_NS = 20_000_000
"""More than slewing (adjtime(3), 0.05 %) moves the clock in a run's time."""


@frozen
class Bracket:
    """One step of a recording, between its canaries."""

    step: str
    frames: Sequence[Frame]
    """What was seen after the last opening canary and before the last closing one."""
    outside: int
    """Frames since the step before, or after the last step: the links' own upkeep."""
    canaries_sent: int
    canaries_seen: int
    """Canaries seen leaving and arriving, everywhere they had to be."""
    dropped: int
    """In the whole recording: the kernel counts drops, without the time of each."""
    incomplete: tuple[str, ...]
    """Why the capture proves nothing; empty where it was alive and whole."""
    cut: tuple[str, ...] = ()
    """Those of these that leave the frames' headers: frames were cut behind them, as was asked."""


def find_brackets(recording: Recording) -> tuple[Bracket, ...]:
    """The recording's steps in their order, each with its frames and its capture's health.

    A recording without canaries is one step, whose capture counts as incomplete.
    """
    canary_by_payload = {canary.payload: canary for canary in recording.canaries}
    sightings: dict[bytes, list[Frame]] = defaultdict(list)
    frames = recording.frames
    lengths = {ETHERNET_HEADER_BYTES + len(payload) for payload in canary_by_payload}
    canaries_at: set[int] = set()
    for place, length in enumerate(lengths_of(frames)):
        if length in lengths:
            payload = frames[place].data[ETHERNET_HEADER_BYTES:]
            if payload in canary_by_payload:
                sightings[payload].append(frames[place])
                canaries_at.add(place)

    def others() -> Iterator[tuple[int, int]]:
        every = enumerate(times_of(frames))
        return ((place, ns) for place, ns in every if place not in canaries_at)

    cut = _cut_as_asked(recording)
    losses = [*cut, *_losses(recording)]
    brackets: list[Bracket] = []
    since_ns = 0
    # A program's step without canaries is one as well: incomplete, but not passed over.
    named = [canary.step for canary in recording.canaries]
    named += [run.step for run in recording.programs]
    named += [seen.step for seen in recording.sockets]
    named += [each.step for each in recording.disturbances]
    steps = list(dict.fromkeys(named)) or [""]
    opened_ns = _opened(recording, steps, sightings)
    required = _required(recording)
    for place, step in enumerate(steps):
        canaries = [canary for canary in recording.canaries if canary.step == step]
        times = _times(canaries, sightings)
        start_ns = max(times["opening"], default=since_ns)
        end_ns = max(times["closing"], default=FOREVER_NS)
        story = selected(frames, (place for place, ns in others() if start_ns < ns < end_ns))
        until_ns = FOREVER_NS if step == steps[-1] else end_ns
        around = sum(since_ns < ns <= until_ns for _, ns in others())
        missing = [
            canary
            for canary in canaries
            if not required[canary.point] <= _places(sightings[canary.payload])
        ]
        brackets.append(
            Bracket(
                step=step,
                frames=story,
                outside=around - len(story),
                canaries_sent=len(canaries),
                canaries_seen=len(canaries) - len(missing),
                dropped=sum(point.dropped for point in recording.points),
                incomplete=(
                    *recording.capture_losses,
                    *_unproven(canaries, recording),
                    *map(_missing, missing),
                    *_reversed(canaries, sightings),
                    *_unbracketed(recording, step, start_ns, end_ns),
                    *_overlapping(times["closing"], opened_ns[place + 1 :]),
                    *(
                        each.what
                        for each in recording.disturbances
                        if each.step == step and each.blinds
                    ),
                    *losses,
                ),
                cut=cut,
            )
        )
        since_ns = end_ns
    return tuple(brackets)


def _times(canaries: list[Canary], sightings: dict[bytes, list[Frame]]) -> dict[str, list[int]]:
    """When the canaries of each end of a bracket were seen."""
    times: dict[str, list[int]] = {"opening": [], "closing": []}
    for canary in canaries:
        times[canary.bracket] += [frame.time_ns for frame in sightings[canary.payload]]
    return times


def _required(recording: Recording) -> dict[str, frozenset[tuple[str, Direction]]]:
    """By where a canary is sent, where it has to be seen: leaving, and arriving at the others.

    Those are the other points of the link; the point itself where it has no other.
    """
    links = {point.name: point.link for point in reversed(recording.points)}
    on_link: defaultdict[str | None, set[str]] = defaultdict(set)
    for point in recording.points:
        on_link[point.link].add(point.name)
    required = {}
    for name in {canary.point for canary in recording.canaries}:
        arrivals = on_link[links.get(name)] - {name} or {name}
        required[name] = frozenset(
            {(name, Direction.OUT), *((each, Direction.IN) for each in arrivals)}
        )
    return required


def _places(frames: list[Frame]) -> frozenset[tuple[str, Direction]]:
    return frozenset((frame.point, frame.direction) for frame in frames)


def _unproven(canaries: list[Canary], recording: Recording) -> list[str]:
    """Points that no canary bracketed."""
    sent = {(canary.point, canary.bracket) for canary in canaries}
    return [
        f"no {bracket} canary was sent at {point.name}"
        for point in recording.points
        for bracket in ("opening", "closing")
        if (point.name, bracket) not in sent
    ]


def _missing(canary: Canary) -> str:
    return f"a canary sent at {canary.point} ({canary.bracket}) was not seen everywhere"


def _reversed(canaries: list[Canary], sightings: dict[bytes, list[Frame]]) -> list[str]:
    """Canaries that arrived before they left: the times of this recording mean nothing."""
    found: list[str] = []
    for canary in canaries:
        frames = sightings[canary.payload]
        left = [frame.time_ns for frame in frames if frame.direction is Direction.OUT]
        came = [frame.time_ns for frame in frames if frame.direction is not Direction.OUT]
        if left and came and min(came) < min(left):
            found.append(f"a canary sent at {canary.point} was seen arriving before it left")
    return found


def _opened(
    recording: Recording, steps: list[str], sightings: dict[bytes, list[Frame]]
) -> list[int]:
    """When the first opening canary of each step was seen; FOREVER_NS if none was."""
    opened_ns = dict.fromkeys(steps, FOREVER_NS)
    for canary in recording.canaries:
        if canary.bracket == "opening":
            seen = (frame.time_ns for frame in sightings[canary.payload])
            opened_ns[canary.step] = min(opened_ns[canary.step], *seen, FOREVER_NS)
    return list(opened_ns.values())


def _overlapping(closed_ns: list[int], later_ns: list[int]) -> list[str]:
    """A step that reaches into a later one by its canaries, and would have frames of that."""
    if max(closed_ns, default=0) > min(later_ns, default=FOREVER_NS):
        return ["a closing canary was seen when the next step had begun"]
    return []


def _unbracketed(recording: Recording, step: str, start_ns: int, end_ns: int) -> list[str]:
    """Programs whose life the canaries' times do not enclose, as they were sent to do."""
    runs = [run for run in recording.programs if run.step == step]
    return [
        f"program {run.name} had started when an opening canary was seen"
        for run in runs
        if run.started_ns < start_ns
    ] + [
        f"program {run.name} had not ended when the closing canaries were seen"
        for run in runs
        if run.ended_ns > end_ns
    ]


def _lengths_asked(recording: Recording) -> tuple[int, ...]:
    """How long frames are that were cut as was asked; the kernel takes VLAN tags out before."""
    snap = recording.snap_bytes
    return () if snap is None else (snap, snap + VLAN_TAG_BYTES)


def _cut_as_asked(recording: Recording) -> tuple[str, ...]:
    """What is to be said where any frame was."""
    if recording.snap_bytes is None:
        return ()
    cut = cut_count(recording.frames)
    is_any = cut > cut_count(recording.frames, _lengths_asked(recording))
    return (f"frames were cut to {recording.snap_bytes} bytes, as was asked",) if is_any else ()


def _losses(recording: Recording) -> list[str]:
    """What makes all of a recording doubtful."""
    clock = (
        [f"the clock was set by {recording.clock_step_ns / 1e6:.1f} ms during the run"]
        if abs(recording.clock_step_ns) > CLOCK_STEP_NS
        else []
    )
    losses = clock + [
        f"the kernel dropped {counted(point.dropped, 'frame')} at {point.name}"
        for point in recording.points
        if point.dropped
    ]
    cut = cut_count(recording.frames, _lengths_asked(recording))
    if cut:
        losses.append(f"{counted(cut, 'frame')} cut short")
    kept = count_by_point(recording.frames)
    losses += [
        f"{point.name} counted {counted(point.frames, 'frame')}, {kept[point.name]} recorded"
        for point in recording.points
        if point.frames != kept[point.name] + point.dropped
    ]
    return losses
