"""Why a RST was sent; and what is near to each cause and is not it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import step_edits as s
import trace_edits as t
from causes_found import causes_in, causes_of
from event_ids import event

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.cause import Cause
from lab.records import Memory, Recording, Syscall

RUN = "traced-reset4"


def no_options(run: Recording) -> Recording:
    calls = [c for c in run.trace.syscalls if (c.program, c.name) != ("aborts", "setsockopt")]
    assert len(calls) < len(run.trace.syscalls)
    return t.with_calls(run, calls)


def test_unread_bytes_are_counted_and_the_call_that_fails_is_named() -> None:
    cause = causes_of(RUN, "unread")["reset-unread"]
    assert cause.text == (
        "server#7 (close) of server threw away 20 bytes of 25 that had come and were never read: "
        "so a RST (f8) and no FIN; client#4 (recvfrom) fails with ECONNRESET. "
        "The kernel's own reason: TCP_ABORT_ON_CLOSE."
    )
    assert cause.evidence == tuple(map(event, ("server#7", "f8", "client#4")))
    assert list(map(str, cause.counters)) == ["TcpExtTCPAbortOnClose +1 on server"]


def test_where_all_was_read_nothing_was_thrown_away() -> None:
    def reads_all(call: Syscall) -> Syscall:
        descriptor, buffer, _, *others = call.arguments
        return replace(call, result=25, memory=(), arguments=(descriptor, buffer, 25, *others))

    assert causes_of(RUN, "unread", t.changed("server", "recvfrom", reads_all)) == {}


def test_what_came_after_the_close_was_not_left_unread() -> None:
    run = s.recording_of(RUN)
    (timeline, *_) = build_timelines(run)
    data = next(each for each in timeline.crossings if b"anybody" in each.packet.payload)
    early_ns = (data.received_ns or 0) - 1000

    def closes_before(call: Syscall) -> Syscall:
        return replace(call, entry_ns=early_ns)

    closes = [c.name for c in run.trace.syscalls if c.program == "server"].count("close")
    nth = next(n for n in range(closes) if t.call_of(run, "server", "close", n).arguments[0] == 4)
    assert "reset-unread" not in causes_in(t.changed("server", "close", closes_before, nth)(run),
                                           "unread")  # fmt: skip


def test_lingering_for_no_time_is_named_with_the_call_that_asked_for_it() -> None:
    cause = causes_of(RUN, "linger")["reset-linger"]
    assert cause.text.startswith("aborts had set SO_LINGER to 0 seconds (aborts#4): aborts#5 (clos")
    assert "survivor#7 (recvfrom) fails with ECONNRESET" in cause.text
    assert list(map(str, cause.counters)) == ["TcpExtTCPAbortOnData +1 on client"]


def test_lingering_for_a_while_resets_nothing() -> None:
    def five_seconds(call: Syscall) -> Syscall:
        value = b"\1\0\0\0\5\0\0\0"
        return replace(call, memory=(Memory(3, "", False, value, 8),))

    assert causes_of(RUN, "linger", t.changed("aborts", "setsockopt", five_seconds)) == {}
    assert causes_of(RUN, "linger", no_options) == {}


def test_a_lost_reset_leaves_a_connection_half_open() -> None:
    found = causes_of(RUN, "crash")
    assert list(found) == ["reset-linger", "reset-half-open"]
    assert "its RST (f20) never reached server" in found["reset-half-open"].text
    assert "asks-later#8 (recvfrom) fails with ECONNRESET" in found["reset-half-open"].text


def test_nobody_listening_is_certain_only_where_all_calls_are_seen() -> None:
    cause = causes_of(RUN, "nobody")["reset-nobody-listens"]
    assert cause.is_certain
    reason = "The kernel's own reason: NO_SOCKET."
    assert cause.text.endswith(f"refused#2 (connect) fails with ECONNREFUSED. {reason}")
    likely = causes_of("reset4", "nobody")["reset-nobody-listens"]
    assert "ss -ltn" in likely.decided_by


@pytest.mark.parametrize("name", ["tcp4", "traced-tcp4", "traced-tcp6", "relayed4"])
def test_a_connection_that_ends_by_fins_has_no_cause(name: str) -> None:
    for timeline in build_timelines(s.recording_of(name)):
        assert causes_in(s.recording_of(name), timeline.step) == {}


def test_a_kernel_that_counts_nothing_leaves_the_counters_out() -> None:
    uncounted = replace(s.recording_of(RUN), counters=())
    found: dict[str, Cause] = causes_in(uncounted, "unread")
    assert found["reset-unread"].counters == ()
