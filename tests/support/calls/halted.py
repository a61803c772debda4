"""Recordings whose programs got no further than to a moment, and were ended by the lab later."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import recorded as r
import step_edits as s
import trace_edits as t

from lab.analysis.assembly import build_timelines
from lab.records import Recording, Syscall

WAITED_NS = 2_000_000_000
TCP = s.recording_of("traced-tcp4")
(TIMELINE,) = build_timelines(TCP)
STEP = TIMELINE.step
(TALK,) = TIMELINE.conversations
HELLO, _, LINE = (
    TIMELINE.crossing_of[each.crossing]
    for each in TALK.segments
    if each.from_client and each.length
)
"""The client's bytes: "Hello. ", and the end of what it says, which is a newline."""
assert TALK.handshake is not None
OPENED = TIMELINE.crossing_of[TALK.handshake.ack]


def halted(recording: Recording, at_ns: int, late: str = "client") -> Recording:
    """Nothing more happened from that time on, until the lab ended all after WAITED_NS.

    `late` is the program that should have ended. Calls that had begun never returned.
    """
    ended_ns = at_ns + WAITED_NS
    payloads = {canary.payload for canary in recording.canaries}
    frames = []
    for frame in recording.frames:
        if frame.data[r.ETHERNET :] not in payloads:
            if frame.time_ns < at_ns:
                frames.append(frame)
        elif frame.time_ns > at_ns:
            frames.append(replace(frame, time_ns=frame.time_ns + WAITED_NS))
        else:
            frames.append(frame)
    programs = tuple(
        replace(
            run,
            ended_ns=ended_ns + 1,
            stopped_ns=ended_ns,
            exit_status=-9,
            failure="had not ended in time" if run.name == late else "",
        )
        for run in recording.programs
    )
    calls = [_unreturned(c, at_ns) for c in recording.trace.syscalls if c.entry_ns < at_ns]
    trace = replace(
        recording.trace,
        states=tuple(each for each in recording.trace.states if each.time_ns < at_ns),
        drops=tuple(each for each in recording.trace.drops if each.time_ns < at_ns),
        events=tuple(each for each in recording.trace.events if each.time_ns < at_ns),
        queues=tuple(each for each in recording.trace.queues if each.time_ns < at_ns),
        tasks=tuple(
            replace(each, time_ns=ended_ns) if each.time_ns > at_ns else each
            for each in recording.trace.tasks
        ),
    )
    run = replace(recording, programs=programs, trace=trace)
    return t.with_calls(r.with_frames(run, frames), calls)


def _unreturned(call: Syscall, at_ns: int) -> Syscall:
    if call.exit_ns is not None and call.exit_ns < at_ns:
        return call
    kept = tuple(each for each in call.memory if not each.at_exit)
    return replace(call, exit_ns=None, result=None, memory=kept)


class Read(NamedTuple):
    """A read that a side makes; of one that never returns the result is None."""

    room: int
    result: int | None
    flags: int = 0


def conversation(until: int, server: list[Read], client: list[Read]) -> Recording:
    """The client's sends up to that frame, and then these reads, until the lab ended both."""
    accept, connect = (t.call_of(TCP, "server", "accept4"), t.call_of(TCP, "client", "connect"))
    times = (TIMELINE.crossing_of[until].received_ns, accept.exit_ns, connect.exit_ns)
    at_ns = max(each or 0 for each in times) + 1
    calls = [
        call
        for call in TCP.trace.syscalls
        if call.entry_ns < at_ns and call.name not in ("recvfrom", "shutdown", "poll")
    ]
    for program, reads, after_ns in (
        ("server", server, (accept.exit_ns or 0) + 1000),
        ("client", client, at_ns + 10_000),
    ):
        pattern = t.call_of(TCP, program, "recvfrom")
        calls += (
            _read(pattern, read, max(after_ns, at_ns + 100 * n), at_ns + 100 * n + 50)
            for n, read in enumerate(reads, start=1)
        )
    return t.with_calls(halted(TCP, at_ns + 50_000), calls)


def _read(pattern: Syscall, read: Read, entry_ns: int, exit_ns: int) -> Syscall:
    descriptor, buffer, _, _, *others = pattern.arguments
    return replace(
        pattern, arguments=(descriptor, buffer, read.room, read.flags, *others), memory=(),
        entry_ns=entry_ns, exit_ns=None if read.result is None else exit_ns, result=read.result,
    )  # fmt: skip
