"""What says how well frames were captured, and where: counters, the clock, the witness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lab.records import Recording
from tests.blind.disturbance import LATE_NS, Disturbed, Manner, Name, falsified

NAMES = frozenset({"name", "host", "interface", "link"})


def counters(recording: Recording) -> Iterator[Disturbed]:
    """Counts that were not read, of what came until the first step ended, or one too many."""
    points = recording.points
    zero = tuple(replace(point, frames=0, dropped=0) for point in points)
    yield Disturbed(Name.COUNTER, Manner.GONE, "not read", replace(recording, points=zero))
    half = tuple(replace(point, frames=point.frames // 2) for point in points)
    yield Disturbed(Name.COUNTER, Manner.CUT, "read too early", replace(recording, points=half))
    for place, point in enumerate(points):
        for field, other in falsified(point, NAMES):
            others = (*points[:place], other, *points[place + 1 :])
            what = f"{point.name}: {field}"
            yield Disturbed(Name.COUNTER, Manner.FALSE, what, replace(recording, points=others))


def clock(recording: Recording) -> Iterator[Disturbed]:
    """The clock was set, forth and back."""
    for step_ns in (LATE_NS, -LATE_NS):
        changed = replace(recording, clock_step_ns=step_ns)
        yield Disturbed(Name.CLOCK, Manner.FALSE, f"set by {step_ns} ns", changed)


def witness(recording: Recording) -> Iterator[Disturbed]:
    """No interface was seen, half of them, or one under another name or with no address."""
    seen = recording.interfaces
    gone = replace(recording, interfaces=())
    yield Disturbed(Name.WITNESS, Manner.GONE, "no interface", gone)
    half = replace(recording, interfaces=seen[: len(seen) // 2])
    yield Disturbed(Name.WITNESS, Manner.CUT, "half of the interfaces", half)
    for place, each in enumerate(seen):
        for field, other in falsified(each):
            others = (*seen[:place], other, *seen[place + 1 :])
            what = f"{each.host}/{each.name}: {field}"
            changed = replace(recording, interfaces=others)
            yield Disturbed(Name.WITNESS, Manner.FALSE, what, changed)
