"""Calls on non-blocking sockets that had only not finished; and what is near to that."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trace_edits as t
from failed_call import FLOW, TCP, found

from lab.analysis.calls.options import SO_RCVBUF, SO_RCVTIMEO, SO_RCVTIMEO_NEW, Option
from lab.analysis.causes.calls import unfinished
from lab.records import Recording, Syscall

EAGAIN, EINPROGRESS = 11, 115
CONNECT = t.call_of(TCP, "client", "connect")
OPENED_NS = CONNECT.exit_ns or 0


def in_progress(*kept: str) -> Recording:
    """The client's connect(2) went on without it; of its other calls these are kept."""
    run = t.changed("client", "connect", lambda call: replace(call, result=-EINPROGRESS))(TCP)
    calls = [
        call
        for call in run.trace.syscalls
        if call.program != "client" or call.name in ("socket", "connect", "close", *kept)
    ]
    return t.with_calls(run, calls)


def beside(run: Recording, name: str, after_ns: int, errno: int = 0) -> Recording:
    """With one more call of the client's on its socket."""
    send = t.call_of(TCP, "client", "sendto")
    more = replace(
        send, name=name, entry_ns=after_ns, exit_ns=after_ns + 1, result=-errno if errno else 1
    )
    return t.with_calls(run, [*run.trace.syscalls, more])


def test_who_closes_without_waiting_gave_the_connection_up() -> None:
    cause = found(in_progress())["connect-in-progress"]
    assert "which is no failure: the socket is non-blocking" in cause.text
    assert "It was open" in cause.text
    assert "client did not wait for that: client#3 (close) gave it up" in cause.text


def test_who_sends_too_early_is_told_so() -> None:
    run = beside(in_progress(), "sendto", (CONNECT.entry_ns or 0) + 1, EAGAIN)
    assert "(sendto) fails with EAGAIN" in found(run)["connect-in-progress"].text


@pytest.mark.parametrize("name", ["poll", "connect"])
def test_who_waits_or_asks_again_knows_what_it_does(name: str) -> None:
    run = beside(in_progress(), name, OPENED_NS + 1)
    assert "connect-in-progress" not in found(run)


def test_who_goes_on_once_it_is_open_has_waited_long_enough() -> None:
    assert "connect-in-progress" not in found(in_progress("sendto"))


def reading(then: str) -> Recording:
    """The client's first read came 0.5 ms before the answer and failed; what it did next."""
    first = next(c for c in FLOW.crossings if c.sender == "server" and c.packet.payload)
    early_ns = (first.received_ns or 0) - 500_000

    def fails(call: Syscall) -> Syscall:
        return replace(call, entry_ns=early_ns, exit_ns=early_ns + 1, result=-EAGAIN)

    run = t.changed("client", "recvfrom", fails)(TCP)
    kept = ("socket", "connect", "sendto", "close")
    calls = [
        replace(c, entry_ns=early_ns + 9) if (c.program, c.name) == ("client", "close") else c
        for c in run.trace.syscalls
        if c.program != "client" or c.name in kept or c.entry_ns == early_ns
    ]
    run = t.with_calls(run, calls)
    return beside(run, then, early_ns + 3) if then else run


@pytest.mark.parametrize(("then", "is_met"), [("", True), ("poll", False), ("recvfrom", False)])
def test_a_read_that_found_nothing_is_no_end(then: str, is_met: bool) -> None:
    causes = found(reading(then))
    assert ("nothing-yet" in causes) is is_met
    if is_met:
        assert "7 bytes came 0.500 ms after the read (f13)" in causes["nothing-yet"].text


@pytest.mark.parametrize("option", [None, SO_RCVTIMEO, SO_RCVTIMEO_NEW, SO_RCVBUF])
def test_a_read_that_took_long_has_waited_where_it_has_a_timeout(
    monkeypatch: pytest.MonkeyPatch, option: Option | None
) -> None:
    """Else its task had no CPU: a tracer stops it at both ends of the call."""
    monkeypatch.setattr(unfinished, "_AT_ONCE_NS", 0)
    run = reading("")
    if option is not None:
        arguments = (3, option.level, option.number, 0, 0)
        asked = replace(
            t.call_of(TCP, "client", "connect"),
            name="setsockopt", arguments=arguments, memory=(), result=0,
        )  # fmt: skip
        early_ns = min(call.entry_ns for call in run.trace.syscalls if call.result == -EAGAIN)
        asked = replace(asked, entry_ns=early_ns - 2, exit_ns=early_ns - 1)
        run = t.with_calls(run, [*run.trace.syscalls, asked])
    may_wait = option in (SO_RCVTIMEO, SO_RCVTIMEO_NEW)
    assert ("nothing-yet" in found(run)) is not may_wait
