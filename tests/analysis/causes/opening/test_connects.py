"""How a program learns that its connection will not be."""

from __future__ import annotations

from dataclasses import replace

import pytest
import step_edits as s
import trace_edits as t

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.step_facts import StepFacts
from lab.analysis.causes.opening.connects import client_failed
from lab.records import Memory, Recording

TCP = s.recording_of("traced-tcp4")
CONNECT = t.call_of(TCP, "client", "connect")


def failed(run: Recording) -> str:
    facts = StepFacts(build_timelines(run)[0])
    (talk,) = facts.timeline.conversations
    return str(client_failed(facts, talk, talk.segments[0]) or "")


@pytest.mark.parametrize(("errno", "name"), [(110, "ETIMEDOUT"), (113, "EHOSTUNREACH")])
def test_connect_fails_itself(errno: int, name: str) -> None:
    run = t.changed("client", "connect", lambda call: replace(call, result=-errno))(TCP)
    assert failed(run) == f"client#2 (connect) fails with {name}"


@pytest.mark.parametrize(("value", "text"), [(113, "client#3 (getsockopt) returns EHOSTUNREACH")])
def test_of_a_socket_that_does_not_block_getsockopt_tells(value: int, text: str) -> None:
    at_ns = CONNECT.exit_ns or 0
    asked = replace(
        CONNECT, name="getsockopt", arguments=(CONNECT.arguments[0], 1, 4, 1, 1), result=0,
        entry_ns=at_ns + 1, exit_ns=at_ns + 2,
        memory=(Memory(3, "", True, value.to_bytes(4, "little"), 4),),
    )  # fmt: skip
    run = t.changed("client", "connect", lambda call: replace(call, result=-115))(TCP)
    assert failed(t.with_calls(run, [*run.trace.syscalls, asked])) == text
    fine = replace(asked, memory=(Memory(3, "", True, bytes(4), 4),))
    assert failed(t.with_calls(run, [*run.trace.syscalls, fine])) == ""


def test_what_succeeds_has_not_failed() -> None:
    assert failed(TCP) == ""
