"""Checks of system calls against what programs print, and against another step's programs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
import run_edits as e
import step_edits as s
import trace_edits as t

from lab.analysis.assembly import build_timelines
from lab.checks.agreement import traces_what_is_printed
from lab.model.claim import Outcome
from lab.model.event import EventKind
from lab.model.scenario import Scenario
from scenarios.calls import SCENARIO as CALLS
from scenarios.tcp import SCENARIO as TCP
from scenarios.udp import SCENARIO as UDP
from scenarios.unix import SCENARIO as UNIX

RUNS: dict[str, tuple[Scenario, str]] = {
    "traced-tcp4": (TCP, "tcp-traced"),
    "traced-tcp6": (TCP, "tcp-traced"),
    "traced-udp4": (UDP, "udp-traced"),
    "traced-unix4": (UNIX, "unix-traced"),
    "traced-calls4": (CALLS, "calls-traced"),
}
SAME = "unix-same-calls"
LISTENED = "listen(3, 1) = 0\n"
CONNECTED = ", 4242)) = 0"
ENOTSUP, EAGAIN = 95, 11


def swapped(text: str) -> str:
    """The client's first two sends, printed the other way round."""
    lines = text.splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.startswith("send("))
    lines[at : at + 2] = reversed(lines[at : at + 2])
    return "".join(lines)


@pytest.mark.parametrize("name", RUNS)
def test_each_printed_call_is_named_with_the_traced_one(name: str) -> None:
    scenario, claim = RUNS[name]
    verdict = t.checked(scenario, claim, s.recording_of(name))
    assert verdict.outcome is Outcome.HOLDS
    printed, traced = verdict.evidence[::2], verdict.evidence[1::2]
    assert verdict.why.startswith(f"{len(traced)} printed calls traced")
    for told, seen in zip(printed, traced, strict=True):
        assert (told.kind, seen.kind) == (EventKind.PRINTED_CALL, EventKind.SYSTEM_CALL)
        assert told.program == seen.program != ""
    assert len(set(verdict.evidence)) == len(verdict.evidence)


# What a program printed, and the wire says as the tracer does that it was not so.
UNTRUE = [
    ("client", e.told("client", ") = 26", ") = 25"), "messages, ') = 25"),
    ("client", e.told("client", CONNECTED, ", 4242)) = -1 EAGAIN"), "= -1 EAGAIN"),
    ("client", e.told("client", "b'Hello. ", "b'Jello. "), "send(3, b'Jello. ') = 7"),
    ("server", e.told("server", "b'Hello. These", "b'Jello. These"), "Jello. These are', 16) = 16"),
]  # fmt: skip
# What was printed and not traced, and nothing else tells which of the two is wrong.
CONTRADICTED = [
    ("client", r.printed("client", swapped), "send(3, b'Hello. ') = 7"),
    ("client", t.changed("client", "connect", t.with_result(-EAGAIN)), ", 4242)) = 0"),
    ("client", t.changed("client", "sendto", t.not_there, nth=1), "messages, ') = 26"),
    ("client", t.changed("client", "sendto", t.with_data(bytes.lower)), "b'Hello. ') = 7"),
    ("client", t.changed("client", "shutdown", t.with_result(None)), "SHUT_WR) = 0"),
    ("server", e.told("server", LISTENED, LISTENED * 2), "listen(3, 1) = 0"),
    ("server", t.changed("server", "close", t.not_there, nth=1), "close(3) = 0"),
    ("server", t.unseen("server"), "socket(AF_INET, SOCK_STREAM) = 3"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "edit", "told"), UNTRUE)
@pytest.mark.parametrize("name", ["traced-tcp4", "traced-tcp6"])
def test_a_printed_call_that_the_tracer_and_the_wire_deny_breaks_the_claim(
    name: str, program: str, edit: r.Edit, told: str
) -> None:
    verdict = s.verdict_of(TCP, "tcp-traced", edit(s.recording_of(name)))
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.why.startswith(f"{program} printed ")
    assert f"{told}, and no such call was traced: it was " in verdict.why
    assert verdict.why.endswith(", as the wire has it")
    printed, traced = verdict.evidence
    assert (printed.kind, printed.program) == (EventKind.PRINTED_CALL, program)
    assert (traced.kind, traced.program) == (EventKind.SYSTEM_CALL, program)


@pytest.mark.parametrize(("program", "edit", "told"), CONTRADICTED)
def test_a_printed_call_that_only_the_tracer_denies_decides_nothing(
    program: str, edit: r.Edit, told: str
) -> None:
    verdict = s.verdict_of(TCP, "tcp-traced", edit(s.recording_of("traced-tcp4")))
    assert verdict.outcome is Outcome.UNDECIDED
    assert verdict.why.startswith(f"{program} printed ")
    assert verdict.why.endswith(f"{told}, and no such call was traced: one of the two is wrong")
    (event,) = verdict.evidence
    assert (event.kind, event.program) == (EventKind.PRINTED_CALL, program)


def test_a_traced_call_that_was_not_printed_is_no_matter_of_the_claim() -> None:
    edit = e.line_gone("client", "send(3, b'These")
    verdict = s.verdict_of(TCP, "tcp-traced", edit(s.recording_of("traced-tcp4")))
    assert verdict.outcome is Outcome.HOLDS
    assert verdict.why.startswith("23 printed calls traced")


@pytest.mark.parametrize("name", ["traced-tcp4", "traced-tcp6"])
@pytest.mark.parametrize(
    ("number", "word"), [(ENOTSUP, "ENOTSUP"), (EAGAIN, "EWOULDBLOCK"), (EAGAIN, "EAGAIN")]
)
def test_two_names_of_an_error_are_one_error(name: str, number: int, word: str) -> None:
    edit = r.both(
        e.told("client", " = 43\n", f" = -1 {word}\n"),
        t.changed("client", "recvfrom", t.with_result(-number)),
    )
    verdict = t.checked(TCP, "tcp-traced", edit(s.recording_of(name)))
    assert verdict.outcome is Outcome.HOLDS, verdict.why


def test_calls_agree_by_their_results_where_no_memory_can_be_read() -> None:
    recording = t.without_memory(s.recording_of("traced-unix4"))
    verdict = t.checked(UNIX, "unix-traced", recording)
    assert (verdict.outcome, "the bytes of 0 were compared" in verdict.why) == (Outcome.HOLDS, True)
    other = e.told("client", "send(3, b'Hello. ') = 7", "send(3, b'Hello. ') = 8")(recording)
    assert t.checked(UNIX, "unix-traced", other).outcome is Outcome.UNDECIDED


def test_long_data_agree_by_their_first_bytes() -> None:
    recording = e.only(s.recording_of("traced-udp4"), ("fragments",))
    (timeline,) = build_timelines(recording)
    assert any(len(call.data) < call.moved for call in timeline.system_calls)
    assert traces_what_is_printed(timeline).outcome is Outcome.HOLDS
    (other,) = build_timelines(e.told("reader", "b'A000A001", "b'A000B001")(recording))
    assert traces_what_is_printed(other).outcome is Outcome.BROKEN


@pytest.mark.parametrize("name", RUNS)
def test_agreement_is_undecided_where_the_programs_print_nothing(name: str) -> None:
    scenario, claim = RUNS[name]
    verdict = s.verdict_of(scenario, claim, r.silent(s.recording_of(name)))
    assert (verdict.outcome, "printed no call" in verdict.why) == (Outcome.UNDECIDED, True)


@pytest.mark.parametrize("step", ["conversation", "abstract", "names", "loopback"])
def test_agreement_is_skipped_where_one_of_the_steps_was_not_traced(step: str) -> None:
    recording = s.recording_of("traced-unix4")
    kept = [call for call in recording.trace.syscalls if call.step != step]
    verdict = t.checked(UNIX, "unix-traced", t.with_calls(recording, kept))
    assert verdict.outcome is Outcome.SKIPPED


# The same calls over a unix socket as over TCP.

MADE_OTHERWISE = [
    (e.leaked("conversation", "server/lo"), "1 frame seen"),
    (e.leaked("conversation", "client/eth0"), "1 frame seen"),
    (
        t.changed("client", "connect", t.with_result(-111)),
        "client and loopback-client: connect = -1 ECONNREFUSED here, connect = 0 there",
    ),
    (
        t.changed("loopback-client", "sendto", t.more_result(-1)),
        "client and loopback-client: sendto = 7 here, sendto = 6 there",
    ),
    (
        t.changed("client", "shutdown", t.not_there),
        "client and loopback-client: close = 0 here, shutdown = 0 there",
    ),
    (
        t.changed("server", "close", t.not_there, nth=1),
        "server and loopback-server: 8 calls here, 9 there",
    ),
    (
        t.changed("loopback-server", "recvfrom", t.more_result(-1)),
        "server and loopback-server: 48 bytes read here, 47 there",
    ),
]


@pytest.mark.parametrize(("edit", "why"), MADE_OTHERWISE)
def test_other_calls_than_over_tcp_or_a_frame_break_the_claim(edit: r.Edit, why: str) -> None:
    verdict = t.checked(UNIX, SAME, edit(s.recording_of("traced-unix4")))
    assert (verdict.outcome, verdict.why) == (Outcome.BROKEN, why)
    assert verdict.evidence


def test_the_same_calls_are_counted_and_so_are_the_frames_of_the_other_step() -> None:
    verdict = t.checked(UNIX, SAME, s.recording_of("traced-unix4"))
    assert "server: 1 socket, 1 bind, 1 listen, 1 accept, 3 sendto, 2 close" in verdict.why
    assert "client: 1 socket, 1 connect, 3 sendto, 1 shutdown, 1 close" in verdict.why
    assert verdict.why.endswith("over TCP, with 18 frames there and none here")
    assert {event.program for event in verdict.evidence} == {"server", "client"}


def test_reads_may_be_cut_otherwise_than_over_tcp() -> None:
    """How many reads it takes depends on when bytes come; how many bytes does not."""
    whole = s.recording_of("traced-unix4")
    first, second = (t.call_of(whole, "server", "recvfrom", n) for n in (0, 1))
    one = replace(
        first,
        result=(first.result or 0) + (second.result or 0),
        arguments=(first.arguments[0], first.arguments[1], 64, *first.arguments[3:]),
        memory=(),
    )
    kept = [call for call in whole.trace.syscalls if call not in (first, second)]
    verdict = t.checked(UNIX, SAME, t.with_calls(whole, [*kept, one]))
    assert verdict.outcome is Outcome.HOLDS, verdict.why


@pytest.mark.parametrize("step", ["conversation", "loopback"])
def test_the_same_calls_are_skipped_where_either_step_was_not_traced(step: str) -> None:
    recording = s.recording_of("traced-unix4")
    kept = [call for call in recording.trace.syscalls if call.step != step]
    verdict = t.checked(UNIX, SAME, t.with_calls(recording, kept))
    assert verdict.outcome is Outcome.SKIPPED


def test_the_same_calls_are_undecided_where_there_is_nobody_to_compare() -> None:
    recording = s.recording_of("traced-unix4")
    fewer = tuple(run for run in recording.programs if run.name != "client")
    for edited in (
        replace(recording, programs=()),
        replace(recording, programs=fewer),
        t.unseen("client")(recording),
        t.unseen("loopback-client")(t.unseen("client")(recording)),
    ):
        assert t.checked(UNIX, "unix-same-calls", edited).outcome is Outcome.UNDECIDED
