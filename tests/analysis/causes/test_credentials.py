"""A peer's uid as read in a user namespace; and as it is."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
import step_edits as s
import trace_edits as t
from causes_found import causes_in

from lab.analysis.assembly import build_timelines
from lab.records import Memory, RanAs, Recording

UNIX = s.recording_of("traced-unix4")
RUN_AS, OVERFLOW = 1000, 65_534
STREAM = next(
    (timeline.step, call.program, call.id.number, call.entry_ns)
    for timeline in build_timelines(UNIX)
    for call in timeline.system_calls
    if (socket := timeline.endpoint_of.get(call.socket)) is not None
    and socket.domain == "AF_UNIX"
    and socket.peer
    and call.name in ("recvfrom", "read")
)


def reading(
    uid: int, capabilities: tuple[str, ...] = (), by: str = "getsockopt", pid: int = 7
) -> Recording:
    """A program asks who is at the other end of its unix socket."""
    _, program, _, entry_ns = STREAM
    calls = UNIX.trace.syscalls
    (read,) = (each for each in calls if (each.program, each.entry_ns) == (program, entry_ns))
    who = struct.pack("<iII", pid, uid, uid)
    arguments: tuple[int, ...] = (read.arguments[0], 1, 17, 1, 2)
    memory = Memory(3, "", True, who, 12)
    if by == "recvmsg":
        arguments = (read.arguments[0], 1, 0)
        data = struct.pack("<Qii", 28, 1, 2) + who
        memory = Memory(1, "control", True, data, len(data))
    asked = replace(
        read, name=by, arguments=arguments, memory=(memory,), entry_ns=entry_ns - 2,
        exit_ns=entry_ns - 1, result=0,
    )  # fmt: skip
    ran_as = RanAs("somebody", RUN_AS, capabilities, (), (), False)
    return replace(t.with_calls(UNIX, [*calls, asked]), ran_as=ran_as, source="")


@pytest.mark.parametrize("by", ["getsockopt", "recvmsg"])
@pytest.mark.parametrize(
    ("uid", "name", "text"),
    [
        (OVERFLOW, "uid-not-mapped", "in which uid 1000 is mapped to none, and 65534"),
        (0, "uid-mapped", "in which uid 1000 is called 0."),
    ],
)
def test_the_namespace_is_named(by: str, uid: int, name: str, text: str) -> None:
    cause = causes_in(reading(uid, by=by), STREAM[0])[name]
    assert text in cause.text
    assert ("SO_PEERCRED" if by == "getsockopt" else "SCM_CREDENTIALS") in cause.text
    assert cause.is_certain


@pytest.mark.parametrize(
    "run",
    [
        reading(RUN_AS),
        reading(0xFFFFFFFF),
        reading(0, ("CAP_SETUID",)),
        replace(reading(0), ran_as=None),
        reading(OVERFLOW, by="recvmsg", pid=0),
        replace(reading(0), source="mine.py"),
    ],
    ids=["its own", "nobody", "may change it", "not known", "none came", "of a scenario's"],
)
def test_what_is_not_certain_is_left_out(run: Recording) -> None:
    assert not {"uid-mapped", "uid-not-mapped"} & set(causes_in(run, STREAM[0]))
