"""Canaries that were not sent, not seen, or not as they were sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from lab.analysis.flows.bracket import ETHERNET_HEADER_BYTES
from lab.records import Frame, Recording
from tests.blind.disturbance import LATE_NS, Disturbed, Manner, Name, falsified, spread

MOST_CANARIES = 4


def disturbed(recording: Recording) -> Iterator[Disturbed]:
    """All of them, those of one end of the steps, and one at a time."""
    canaries = recording.canaries
    yield Disturbed(Name.CANARY, Manner.GONE, "none was sent", _unsent(recording))
    payloads = {canary.payload: canary.bracket for canary in canaries}
    for bracket in ("opening", "closing"):
        manner = Manner.GONE if bracket == "opening" else Manner.CUT
        gone = [f for f in recording.frames if payloads.get(_payload(f)) != bracket]
        yield Disturbed(Name.CANARY, manner, f"no {bracket} one was seen", _with(recording, gone))
    for place, canary in spread(canaries, MOST_CANARIES):
        said = f"{canary.bracket} one of {canary.point} in step {canary.step or 1}"
        seen = [f for f in recording.frames if _payload(f) != canary.payload]
        yield Disturbed(Name.CANARY, Manner.FALSE, f"{said}: unseen", _with(recording, seen))
        late = [
            replace(f, time_ns=f.time_ns + LATE_NS) if _payload(f) == canary.payload else f
            for f in recording.frames
        ]
        yield Disturbed(Name.CANARY, Manner.LATE, f"{said}: late", _with(recording, late))
        for field, other in falsified(canary, frozenset({"bracket"})):
            changed = replace(
                recording, canaries=(*canaries[:place], other, *canaries[place + 1 :])
            )
            yield Disturbed(Name.CANARY, Manner.FALSE, f"{said}: {field}", changed)


def _payload(frame: Frame) -> bytes:
    return frame.data[ETHERNET_HEADER_BYTES:]


def _unsent(recording: Recording) -> Recording:
    payloads = {canary.payload for canary in recording.canaries}
    left = [frame for frame in recording.frames if _payload(frame) not in payloads]
    return replace(_with(recording, left), canaries=())


def _with(recording: Recording, frames: list[Frame]) -> Recording:
    counts = Counter(frame.point for frame in frames)
    points = tuple(
        replace(point, frames=counts[point.name] + point.dropped) for point in recording.points
    )
    ordered = tuple(sorted(frames, key=lambda frame: frame.time_ns))
    return replace(recording, frames=ordered, points=points)
