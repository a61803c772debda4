"""Sends on unix sockets that waited, or would have; tests/kernel/causes has the programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import step_edits as s
import trace_edits as t
from causes_found import causes_in

from lab.analysis.causes.facts.cause import Cause
from lab.records import Recording, Syscall

RUN = s.recording_of("traced-unix4")
EAGAIN = 11
LAST, MS = 2, 1_000_000


def found(run: Recording) -> Mapping[str, Cause]:
    return causes_in(run, "conversation")


def third_send(change: t.Changed) -> Recording:
    return t.changed("client", "sendto", change, LAST)(RUN)


def test_a_send_that_gave_up_is_named_with_what_waits_and_who_reads() -> None:
    run = third_send(lambda call: replace(call, result=-EAGAIN))
    cause = found(run)["unix-queue-full"]
    assert "client#5 (sendto) fails with EAGAIN" in cause.text
    assert "no room for more than the 33 bytes that wait there" in cause.text
    assert "server reads the next with server#7 (recvfrom)" in cause.text


def test_who_tries_again_is_meant_to_be_told() -> None:
    run = t.changed("client", "sendto", lambda call: replace(call, result=-EAGAIN), 1)(RUN)
    assert "unix-queue-full" not in found(run)


@pytest.mark.parametrize(("lasts_ns", "is_met"), [(99 * MS, False), (101 * MS, True)])
def test_a_send_that_waited_long_is_named(lasts_ns: int, is_met: bool) -> None:
    def waits(call: Syscall) -> Syscall:
        return replace(call, exit_ns=call.entry_ns + lasts_ns)

    causes = found(third_send(waits))
    assert ("unix-queue-full" in causes) is is_met
    if is_met:
        assert "client#5 (sendto) waits for 101 ms" in causes["unix-queue-full"].text


def test_a_send_that_never_returned_waits() -> None:
    causes = found(third_send(lambda call: replace(call, result=None, exit_ns=None)))
    assert "client#5 (sendto) waits and never returned" in causes["unix-queue-full"].text


def test_a_queue_that_is_empty_is_not_full() -> None:
    def fails(call: Syscall) -> Syscall:
        return replace(call, result=-EAGAIN)

    run = t.changed("client", "sendto", fails, 0)(RUN)
    calls = [c for c in run.trace.syscalls if (c.program, c.name) != ("client", "sendto")]
    first = t.call_of(run, "client", "sendto", 0)
    assert "unix-queue-full" not in found(t.with_calls(run, [*calls, first]))
