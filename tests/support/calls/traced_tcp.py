"""The recording tcp4 with the calls its programs made, at times that a test may choose.

Crossings are numbered as tests/recorded.py says. A call's entry comes before the departure of
the frame it caused, its exit after the arrival of the frame it waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import recorded as r
import traced as t

from lab.analysis.assembly import build_timelines
from lab.analysis.timeline import Timeline
from lab.model.event import EventId
from lab.records import Recording, SocketState, Syscall, TaskEvent

FIRST_US = 10_000
"""When the first crossing leaves; calls before it may be as early as 0."""
LAST_US = 100_000
THINKING_US = 5_000
"""How much later than it was recorded the server's first answer leaves."""
HELLO = (b"Hello. ", b"These are three messages, ", b"or so I think.\n")
ANSWER = (b"I read ", b"what you wrote, ", b"not how you cut it.\n")


@dataclass(frozen=True)
class Planned:
    """A call, the frame that its entry precedes and the frame that its exit follows."""

    program: str
    name: str
    arguments: tuple[t.Given, ...]
    result: int = 0
    causes: int | None = None
    awaits: int | None = None


@cache
def wire() -> Recording:
    """Frames and programs alone: the first leaves at FIRST_US, the server thinks THINKING_US."""
    recording = r.recorded(4)
    (timeline,) = build_timelines(recording)
    later_ns = t.at_ns(FIRST_US) - timeline.crossings[0].time_ns
    answers_ns = timeline.crossings[12].time_ns
    frames = tuple(
        replace(f, time_ns=f.time_ns + later_ns + (f.time_ns >= answers_ns) * THINKING_US * 1000)
        for f in recording.frames
    )
    programs = tuple(
        replace(
            run,
            started_ns=run.started_ns + later_ns,
            ended_ns=run.ended_ns + later_ns + THINKING_US * 1000,
        )
        for run in recording.programs
    )
    return replace(recording, frames=frames, programs=programs)


@cache
def wire_timeline() -> Timeline:
    (timeline,) = build_timelines(wire())
    return timeline


def us_of(number: int, arrival: bool) -> float:
    """When a crossing arrived, or left, as traced.py counts."""
    crossing = next(c for c in wire_timeline().crossings if c.number == number)
    time_ns = crossing.received_ns if arrival else crossing.sent_ns
    assert time_ns is not None
    return (time_ns - t.START_NS) / 1000


@cache
def planned() -> tuple[Planned, ...]:
    """What both programs called, each in its order."""
    (flow,) = wire_timeline().flows
    client = t.address4(str(flow.a.address), flow.a.port)
    server = t.address4(str(flow.b.address), flow.b.port)
    whole = b"".join(ANSWER)
    sends = [
        Planned("client", "sendto", (3, data, len(data), 0, None, 0), len(data), causes=number)
        for data, number in zip(HELLO, (6, 8, 10), strict=True)
    ]
    answers = [
        Planned("server", "sendto", (4, data, len(data), 0, None, 0), len(data), causes=number)
        for data, number in zip(ANSWER, (13, 15, 17), strict=True)
    ]
    cuts = ((HELLO[0], 6), (HELLO[1][:16], 8), (HELLO[1][16:], 8), (HELLO[2], 10))
    reads = [
        Planned("server", "recvfrom", (4, data, 16, 0, None, None), len(data), awaits=number)
        for data, number in cuts
    ]
    return (
        Planned("server", "socket", (t.AF_INET, t.SOCK_STREAM, 0), 3),
        Planned("server", "bind", (3, server, 16)),
        Planned("server", "listen", (3, 1)),
        Planned("server", "accept4", (3, client, 16, 0), 4, awaits=5),
        *reads,
        Planned("server", "recvfrom", (4, 0x1000, 16, 0, None, None), 0, awaits=12),
        *answers,
        Planned("server", "close", (4,), causes=19),
        Planned("client", "socket", (t.AF_INET, t.SOCK_STREAM, 0), 3),
        Planned("client", "connect", (3, server, 16), causes=3, awaits=4),
        *sends,
        Planned("client", "shutdown", (3, 1), causes=12),
        Planned("client", "recvfrom", (3, whole, 4096, 0, None, None), len(whole), awaits=17),
        Planned("client", "recvfrom", (3, 0x1000, 4096, 0, None, None), 0, awaits=19),
        Planned("client", "getsockname", (3, client, 16)),
        Planned("client", "close", (3,)),
    )


Times = tuple[tuple[float, float], ...]
"""Entry and exit of each planned call."""


def latest(low: float, high: float) -> float:
    """Everything as late as it may be."""
    return high


def earliest(low: float, high: float) -> float:
    """Everything as early as it may be."""
    return low


def times_by(
    choose: Callable[[float, float], float] = latest,
    fixed: Mapping[int, tuple[float, float]] | None = None,
) -> Times:
    """Legal times: each chosen between what must come before it and what must come after.

    What has no bound of its own may be from 0 to LAST_US. `fixed` are entries and exits of
    planned calls by their places.
    """
    times: list[tuple[float, float]] = []
    for program in ("server", "client"):
        places = [at for at, each in enumerate(planned()) if each.program == program]
        bounds = [bound for at in places for bound in _bounds(planned()[at], (fixed or {}).get(at))]
        at_us = 0.0
        for place, (low, _) in enumerate(bounds):
            high = min(high for _, high in bounds[place:])
            at_us = choose(max(at_us, low), max(high, at_us, low))
            if place % 2:
                times[-1] = times[-1][0], at_us
            else:
                times.append((at_us, at_us))
    return tuple(times)


def place_of(name: str, nth: int = 0, program: str = "") -> int:
    """The place of a planned call."""
    found = [
        at
        for at, each in enumerate(planned())
        if each.name == name and program in ("", each.program)
    ]
    return found[nth]


def _bounds(call: Planned, fixed: tuple[float, float] | None) -> list[tuple[float, float]]:
    """The earliest and latest times of its entry and of its exit."""
    if fixed is not None:
        return [(time, time) for time in fixed]
    left = us_of(call.causes, arrival=False) if call.causes else LAST_US
    came = us_of(call.awaits, arrival=True) if call.awaits else 0
    return [(0, left), (came, LAST_US)]


def traced(
    times: Times,
    *more: SocketState | TaskEvent,
    change: Callable[[Syscall], Syscall | None] = lambda call: call,
    base: Recording | None = None,
) -> Recording:
    """The recording with its calls at those times; `change` may alter or omit one.

    Its programs start before and end after all of them, unless `more` has other tasks.
    """
    calls = [
        t.call(each.program, each.name, *each.arguments, result=each.result, at=at, step=_step())
        for each, at in zip(planned(), times, strict=True)
    ]
    kept = [call for call in map(change, calls) if call is not None]
    told = {each.program for each in more if isinstance(each, TaskEvent)}
    lives = [
        event
        for program in dict.fromkeys(call.program for call in kept)
        if program not in told
        for event in (
            t.task(program, "start", 0, step=_step()),
            t.task(program, "exit", LAST_US + 1, step=_step()),
        )
    ]
    return replace(base or wire(), trace=t.trace(*kept, *lives, *more))


def _step() -> str:
    return wire_timeline().step


def timeline_of(recording: Recording) -> Timeline:
    (timeline,) = build_timelines(recording)
    return timeline


def ids(timeline: Timeline, *wanted: str) -> Sequence[EventId]:
    """Ids of the calls with those names."""
    return [call.id for call in timeline.system_calls if call.name in wanted]
