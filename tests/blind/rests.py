"""Which instruments a claim rests on: what its check reads, and what its evidence is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from lab.analysis.timeline import Timeline
from lab.model.claim import Claim, Verdict
from lab.model.event import EventKind
from lab.records import Recording
from tests.blind.disturbance import Name

_FRAMES = frozenset({Name.CAPTURE, Name.CANARY, Name.COUNTER, Name.CLOCK})
_CALLS = frozenset({Name.CALLS, Name.TASKS, Name.RINGS})

_OF_FIELD = {
    "bracket": _FRAMES,
    "crossings": _FRAMES,
    "flows": _FRAMES,
    "conversations": _FRAMES,
    "calls": frozenset({Name.OUTPUT}),
    "system_calls": _CALLS,
    "agreements": _CALLS | {Name.OUTPUT},
    "endpoints": _CALLS,
    "states": frozenset({Name.STATES}),
    "drops": frozenset({Name.DROPS}),
    "struck": frozenset({Name.WIRE}),
    "queues": frozenset({Name.QUEUES}),
    "order": _FRAMES | _CALLS,
    "correlation": _FRAMES | _CALLS,
    "sockets": frozenset({Name.SOCK_DIAG}),
    "held": frozenset({Name.HELD, Name.CLOSING}),
}
"""What a field of a timeline is made of, before all else."""

_OF_RECORDING = {
    "points": _FRAMES,
    "frames": _FRAMES,
    "canaries": _FRAMES,
    "interfaces": frozenset({Name.WITNESS}),
    "sockets": frozenset({Name.SOCK_DIAG}),
    "trace": _CALLS,
    "translations": frozenset({Name.CONNTRACK}),
    "counters": frozenset({Name.NETSTAT}),
    "held_sockets": frozenset({Name.HELD}),
}

_OF_EVIDENCE = {
    EventKind.FRAME: _FRAMES,
    EventKind.PRINTED_CALL: frozenset({Name.OUTPUT}),
    EventKind.SYSTEM_CALL: _CALLS,
    EventKind.STATE: frozenset({Name.STATES}),
    EventKind.DROP: frozenset({Name.DROPS}),
    EventKind.STRIKE: frozenset({Name.WIRE}),
    EventKind.QUEUE: frozenset({Name.QUEUES}),
}


def rests_on(claim: Claim, timelines: Sequence[Timeline], verdict: Verdict) -> frozenset[Name]:
    """The instruments without which this verdict on these timelines could not be given."""
    by_step = {timeline.step: timeline for timeline in timelines}
    concerned = [by_step[step] for step in claim.step_names] or timelines[:1]
    read: set[str] = set()
    of_recording: set[str] = set()

    class Recorded(Recording):
        def __getattribute__(self, name: str) -> object:
            of_recording.add(name)
            return super().__getattribute__(name)

    class Watched(Timeline):
        def __getattribute__(self, name: str) -> object:
            read.add(name)
            return super().__getattribute__(name)

    watched = []
    for timeline in concerned:
        values = {field.name: getattr(timeline, field.name) for field in fields(Timeline)}
        recording = values["recording"]
        values["recording"] = Recorded(
            **{field.name: getattr(recording, field.name) for field in fields(Recording)}
        )
        watched.append(Watched(**values))
    of_recording.clear()
    claim(*watched)
    found: set[Name] = set()
    for name in read:
        found |= _OF_FIELD.get(name, frozenset())
    for name in of_recording:
        found |= _OF_RECORDING.get(name, frozenset())
    for event in verdict.evidence:
        found |= _OF_EVIDENCE[event.kind]
    return frozenset(found)
