"""What the kernel tells of itself: states, drops, queues, and sockets by sock_diag(7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lab.records import HeldSocket, Recording, SocketSeen
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


def queues(recording: Recording) -> Iterator[Disturbed]:
    """Samples of what was left to read in unix sockets."""
    records = recording.trace.queues
    return disturbed_records(Name.QUEUES, recording, records, in_trace("queues"))


def sock_diag(recording: Recording) -> Iterator[Disturbed]:
    """Unix sockets, as they were seen while a program waited for that."""

    def put(changed: Recording, records: Sequence[SocketSeen]) -> Recording:
        return replace(changed, sockets=tuple(records))

    return disturbed_records(Name.SOCK_DIAG, recording, recording.sockets, put)


def held(recording: Recording) -> Iterator[Disturbed]:
    """Sockets with their queues, as they were seen at moments of a step."""

    def put(changed: Recording, records: Sequence[HeldSocket]) -> Recording:
        return replace(changed, held_sockets=tuple(records))

    return disturbed_records(Name.HELD, recording, recording.held_sockets, put)


def closings(recording: Recording) -> Iterator[Disturbed]:
    """TCP sockets as they were when they were closed."""
    records = recording.trace.closings
    return disturbed_records(Name.CLOSING, recording, records, in_trace("closings"))
