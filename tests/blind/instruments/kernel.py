"""What the kernel tells of itself: TCP states, and packets that it threw away."""

from __future__ import annotations

from collections.abc import Iterator

from lab.records import Recording
from tests.blind.disturbance import Disturbed, Name
from tests.blind.instruments.records import disturbed_records, in_trace


def states(recording: Recording) -> Iterator[Disturbed]:
    """Changes of TCP states that were not seen, or seen otherwise."""
    records = recording.trace.states
    return disturbed_records(Name.STATES, recording, records, in_trace("states"))


def drops(recording: Recording) -> Iterator[Disturbed]:
    """Notices of packets that were thrown away."""
    records = recording.trace.drops
    return disturbed_records(Name.DROPS, recording, records, in_trace("drops"))
