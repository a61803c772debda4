"""Bytes that a cork held back; of those that it held back for a moment nothing is said."""

from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
import step_edits as s
import trace_edits as t
from causes_found import causes_in
from halted import HELLO, STEP

from lab.records import Memory, Recording

TCP = s.recording_of("traced-tcp4")
SEND = t.call_of(TCP, "client", "sendto")
HELD_NS = 150_000_000
LEFT_NS = HELLO.time_ns


def held(by_ns: int = HELD_NS, flags: int = 0) -> Recording:
    """The client's first segment, and all after it, came so much later than its send."""

    def later(time_ns: int) -> int:
        return time_ns + by_ns if time_ns >= LEFT_NS else time_ns

    calls = []
    for call in TCP.trace.syscalls:
        exit_ns = later(call.exit_ns or 0)
        arguments = call.arguments
        if call is SEND:
            exit_ns, arguments = SEND.entry_ns + 1000, (*arguments[:3], flags, *arguments[4:])
        calls.append(
            replace(call, entry_ns=later(call.entry_ns), exit_ns=exit_ns, arguments=arguments)
        )
    frames = [replace(each, time_ns=later(each.time_ns)) for each in TCP.frames]
    programs = tuple(replace(each, ended_ns=later(each.ended_ns)) for each in TCP.programs)
    states = tuple(replace(each, time_ns=later(each.time_ns)) for each in TCP.trace.states)
    tasks = tuple(replace(each, time_ns=later(each.time_ns)) for each in TCP.trace.tasks)
    trace = replace(TCP.trace, states=states, tasks=tasks)
    run = replace(TCP, programs=programs, trace=trace)
    return t.with_calls(r.with_frames(run, frames), calls)


def corked(value: int = 1) -> Recording:
    option = replace(
        SEND, name="setsockopt", arguments=(SEND.arguments[0], 6, 3, 1, 4), result=0,
        memory=(Memory(3, "", False, value.to_bytes(4, "little"), 4),),
        entry_ns=SEND.entry_ns - 1000, exit_ns=SEND.entry_ns - 900,
    )  # fmt: skip
    run = held()
    return t.with_calls(run, [*run.trace.syscalls, option])


def test_a_cork_that_holds_bytes_for_long_is_named() -> None:
    cause = causes_in(corked(), STEP)["corked"]
    assert "The 7 bytes of client#" in cause.text
    assert "TCP_CORK is set (client#" in cause.text


def test_so_is_a_send_that_says_that_more_follows() -> None:
    assert "(MSG_MORE)" in causes_in(held(flags=0x8000), STEP)["corked"].text


@pytest.mark.parametrize(
    "run",
    [held(), corked(0), held(50_000_000, 0x8000), TCP],
    ids=["no cork", "set to 0", "held for a moment", "at once"],
)
def test_near_to_that_there_is_no_cork(run: Recording) -> None:
    assert "corked" not in causes_in(run, STEP)
