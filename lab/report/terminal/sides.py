"""Who stands left and who right in a step's ladder."""

from __future__ import annotations

from dataclasses import dataclass

from lab.analysis.calls.address import socket_address
from lab.analysis.timeline import Timeline
from lab.model.event import EventId
from lab.records import SocketState


@dataclass(frozen=True, slots=True)
class Sides:
    """What stands right; everything else stands left."""

    calls: frozenset[EventId]
    hosts: frozenset[str]
    programs: frozenset[str]
    """Where the programs of one host stand face to face: the right ones; else empty."""


def sides_of(timeline: Timeline) -> Sides:
    """The last host of the topology stands right.

    Where programs of one host talk to each other those that serve stand right: that listened,
    or else signalled that they were ready.
    """
    runs = timeline.programs
    hosts = [point.host for point in timeline.recording.points] or [run.host for run in runs]
    right = frozenset(hosts[-1:] if len(set(hosts)) > 1 else ())
    serving = _serving(timeline) if _is_between_programs_of_one_host(timeline) else frozenset()
    programs = serving or {run.name for run in runs if run.host in right}
    calls = (call.id for call in timeline.system_calls if call.program in programs)
    return Sides(frozenset(calls), right, serving)


def state_on_right(state: SocketState, timeline: Timeline, sides: Sides) -> bool | None:
    """Whether a socket is a right program's; None where its host tells that."""
    if not sides.programs:
        return None
    local = socket_address(state.local_address, state.local_port)
    remote = socket_address(state.remote_address, state.remote_port)
    for endpoint in timeline.endpoints:
        # A socket that is not bound yet has no port: its peer's address tells it.
        known = endpoint.local == local if state.local_port else endpoint.remote == remote
        if known:
            return endpoint.program in sides.programs
    return None


def _is_between_programs_of_one_host(timeline: Timeline) -> bool:
    if len({run.host for run in timeline.programs}) != 1:
        return False
    program_of = {endpoint.id: endpoint.program for endpoint in timeline.endpoints}
    return any(
        program_of[endpoint.peer] != endpoint.program
        for endpoint in timeline.endpoints
        if endpoint.peer in program_of
    )


def _serving(timeline: Timeline) -> frozenset[str]:
    """Empty where all programs serve, or none."""
    everyone = frozenset(run.name for run in timeline.programs)
    listening = frozenset(end.program for end in timeline.endpoints if end.listening)
    ready = frozenset(run.name for run in timeline.programs if run.ready_ns is not None)
    for some in (listening, ready):
        if some and some != everyone:
            return some
    return frozenset()
