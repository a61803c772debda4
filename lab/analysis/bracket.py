"""The canaries taken out of a recording, and what they prove of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from lab.records import Canary, CapturePoint, Direction, Frame, Recording

ETHERNET_HEADER_BYTES = 14


@dataclass(frozen=True, slots=True)
class Bracket:
    """A recording between its canaries."""

    frames: tuple[Frame, ...]
    """What was seen after the last opening canary and before the last closing one."""
    outside: int
    """Frames before or after: the links' own upkeep, no part of the story."""
    canaries_sent: int
    canaries_seen: int
    """Canaries seen leaving and arriving, everywhere they had to be."""
    dropped: int
    blind: tuple[str, ...]
    """Why the capture proves nothing; empty where it was alive and whole."""


def find_bracket(recording: Recording) -> Bracket:
    """The recording's story frames and the health of its capture."""
    canary_by_payload = {canary.payload: canary for canary in recording.canaries}
    sightings: dict[bytes, list[Frame]] = defaultdict(list)
    others: list[Frame] = []
    for frame in recording.frames:
        payload = frame.data[ETHERNET_HEADER_BYTES:]
        if payload in canary_by_payload:
            sightings[payload].append(frame)
        else:
            others.append(frame)
    times: dict[str, list[int]] = {"opening": [], "closing": []}
    for payload, frames in sightings.items():
        times[canary_by_payload[payload].bracket] += [frame.time_ns for frame in frames]
    start_ns, end_ns = max(times["opening"], default=None), max(times["closing"], default=None)
    story = tuple(
        frame
        for frame in others
        if (start_ns is None or frame.time_ns > start_ns)
        and (end_ns is None or frame.time_ns < end_ns)
    )
    missing = [
        canary
        for canary in recording.canaries
        if not _required(canary, recording.points) <= _places(sightings[canary.payload])
    ]
    return Bracket(
        frames=story,
        outside=len(others) - len(story),
        canaries_sent=len(recording.canaries),
        canaries_seen=len(recording.canaries) - len(missing),
        dropped=sum(point.dropped for point in recording.points),
        blind=(*_unproven(recording), *map(_missing, missing), *_losses(recording)),
    )


def _required(canary: Canary, points: tuple[CapturePoint, ...]) -> frozenset[tuple[str, Direction]]:
    """Where a canary has to be seen: leaving its point, arriving at the link's others."""
    link = next((point.link for point in points if point.name == canary.point), None)
    others = {p.name for p in points if p.link == link and p.name != canary.point}
    arrivals = others or {canary.point}
    return frozenset({(canary.point, Direction.OUT), *((name, Direction.IN) for name in arrivals)})


def _places(frames: list[Frame]) -> frozenset[tuple[str, Direction]]:
    return frozenset((frame.point, frame.direction) for frame in frames)


def _unproven(recording: Recording) -> list[str]:
    """Points that no canary bracketed."""
    return [
        f"no {bracket} canary was sent at {point.name}"
        for point in recording.points
        for bracket in ("opening", "closing")
        if not any(c.point == point.name and c.bracket == bracket for c in recording.canaries)
    ]


def _missing(canary: Canary) -> str:
    return f"a canary sent at {canary.point} ({canary.bracket}) was not seen everywhere"


def _losses(recording: Recording) -> list[str]:
    losses = [
        f"the kernel dropped {point.dropped} frames at {point.name}"
        for point in recording.points
        if point.dropped
    ]
    cut = sum(len(frame.data) < frame.wire_bytes for frame in recording.frames)
    if cut:
        losses.append(f"{cut} frames were cut short")
    kept: dict[str, int] = defaultdict(int)
    for frame in recording.frames:
        kept[frame.point] += 1
    losses += [
        f"{point.name} counted {point.frames} frames and {kept[point.name]} are recorded"
        for point in recording.points
        if point.frames != kept[point.name] + point.dropped
    ]
    return losses
