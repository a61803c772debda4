"""Why a conversation stands still; and what is near to each reason and is not it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
import trace_edits as t
from causes_found import causes_in
from halted import HELLO, LINE, OPENED, STEP, TCP, TIMELINE, Read, conversation, halted

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.cause import Cause
from lab.records import Recording


def found(run: Recording) -> dict[str, Cause]:
    return causes_in(run, STEP)


WAITS = [Read(100, None)]
MSG_WAITALL = 0x100


def test_where_nobody_has_spoken_each_waits_for_the_other() -> None:
    cause = found(conversation(OPENED.number, WAITS, WAITS))["both-wait"]
    assert cause.is_certain
    assert "Both sides wait for the other to speak first: client in client#3 (recvfrom)" in (
        cause.text
    )
    assert "Neither has sent a byte" in cause.text
    assert [str(each) for each in cause.evidence] == ["client#3", "server#6"]


@pytest.mark.parametrize(
    ("until", "reads", "text"),
    [
        (HELLO, [Read(100, 7)], "They do not end with a newline, and client has not ended its"),
        (LINE, [Read(100, 48)], "They end with a newline, and client has not ended its sending"),
        (LINE, [Read(64, 48), Read(16, None)], "Its reads ask for 64 bytes in all, each for what"),
        (LINE, [Read(99, 20), Read(79, 28), Read(51, None)], "in all, each for what the one befo"),
        (HELLO, [Read(64, None, MSG_WAITALL)], "returns when all 64 bytes are there that it asks"),
    ],
)  # fmt: skip
def test_what_is_still_read_for_is_said(until: object, reads: list[Read], text: str) -> None:
    server = reads if reads[-1].result is None else [*reads, *WAITS]
    cause = found(conversation(until.number, server, WAITS))["both-wait"]  # type: ignore[attr-defined]
    assert text in cause.text
    assert f"than the {7 if until is HELLO else 48} bytes that client has sent" in cause.text


def test_who_is_in_no_call_does_not_answer() -> None:
    cause = found(conversation(LINE.number, [Read(100, 48)], WAITS))["peer-does-not-answer"]
    assert "server has made no call on the connection since server#7 (recvfrom)" in cause.text
    assert "has not read" not in cause.text
    cause = found(conversation(LINE.number, [Read(16, 16)], WAITS))["peer-does-not-answer"]
    assert cause.text.endswith("Of what client has sent it has not read 32 bytes.")


def test_a_connection_in_the_queue_was_accepted_by_nobody() -> None:
    run = conversation(LINE.number, [], WAITS)
    calls = [call for call in run.trace.syscalls if call.name not in ("accept4", "getsockname")]
    cause = found(t.with_calls(run, calls))["not-accepted"]
    assert "the accept queue of server's socket (server#4 (listen))" in cause.text
    assert "server has never called accept()" in cause.text
    assert "With it wait the 48 bytes that client has sent." in cause.text


def test_without_calls_it_is_only_likely_that_both_wait() -> None:
    cause = found(t.untraced(conversation(LINE.number, [Read(100, 48), *WAITS], WAITS)))
    assert list(cause) == ["both-wait"]
    assert not cause["both-wait"].is_certain
    assert "client has sent 48 bytes and server 0 bytes, all of them came" in (
        cause["both-wait"].text
    )


@pytest.mark.parametrize(
    "edit",
    [
        lambda run: replace(run, programs=TCP.programs),
        lambda run: _with_ends(run, 20_000_000),
        lambda run: t.changed("client", "recvfrom", t.not_there)(run),
    ],
    ids=["nobody was late", "silent for a moment only", "the client waits for nothing"],
)  # fmt: skip
def test_near_to_a_standstill_is_none(edit: r.Edit) -> None:
    whole = conversation(LINE.number, [Read(100, 48), *WAITS], WAITS)
    assert set(found(edit(whole))) == set()
    assert set(found(whole)) == {"both-wait"}


def _with_ends(run: Recording, waited_ns: int) -> Recording:
    last_ns = LINE.received_ns or 0
    programs = [replace(each, stopped_ns=last_ns + waited_ns) for each in run.programs]
    return replace(run, programs=tuple(programs))


@pytest.mark.parametrize("event", range(1, len(TIMELINE.order.events)))
def test_wherever_a_conversation_halts_its_causes_name_what_there_is(event: int) -> None:
    at_ns = sorted(each.time_ns for each in TIMELINE.order.events)[event]
    run = halted(TCP, at_ns + 1)
    (timeline,) = build_timelines(run)
    known = {each.id for each in timeline.order.events}
    assert all(known.issuperset(cause.evidence) for cause in found(run).values())
