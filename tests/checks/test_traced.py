"""Checks of system calls against the wire, on recordings that have a trace.

Crossings of traced-tcp4 and traced-tcp6 are numbered as tests/recorded.py says, those of
traced-udp4 as tests/checks/udp/test_delivery.py does. A call that happened at an impossible time is
found by the check, and is for `judge` an error of the instrument.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
import run_edits as e
import step_edits as s
import trace_edits as t

from lab.analysis.assembly import build_timelines
from lab.analysis.judging import judge
from lab.checks.ad_hoc_calls import moves_each_byte_of_datagrams, moves_each_byte_of_streams
from lab.model.claim import Outcome
from lab.model.event import EventKind
from lab.records import Recording
from scenarios.calls import SCENARIO as CALLS
from scenarios.tcp import SCENARIO as TCP
from scenarios.udp import SCENARIO as UDP
from scenarios.unix import SCENARIO as UNIX

RUNS = {
    "traced-tcp4": TCP,
    "traced-tcp6": TCP,
    "traced-udp4": UDP,
    "traced-unix4": UNIX,
    "traced-calls4": CALLS,
}
UNTRACED_RUNS = {
    f"{scenario.name}{family}": scenario
    for scenario in (TCP, UDP, UNIX, CALLS)
    for family in (4, 6)
}
TCP_RUNS = ["traced-tcp4", "traced-tcp6"]
CONNECT, ACCEPT = "tcp-connect", "tcp-accept"
TCP_BYTES, UDP_BYTES, CALLS_BYTES = "tcp-accounting", "udp-accounting", "calls-accounting"
SYN, SYN_ACK, LAST_ACK = 3, 4, 5
UNJOINED = "no call could be joined with a connection on the wire"
UNTRACED = "no system call on a socket or pipe was traced"


def entered_after(program: str, name: str, departure: int) -> r.Edit:
    """A call that was made only when a frame had left."""

    def edit(recording: Recording) -> Recording:
        left_ns = r.sightings(recording, departure)[0].time_ns
        return t.changed(program, name, lambda call: replace(call, entry_ns=left_ns + 1))(recording)

    return edit


def returned_before(program: str, name: str, arrival: int) -> r.Edit:
    """A call that was over before a frame came."""

    def edit(recording: Recording) -> Recording:
        came_ns = r.sightings(recording, arrival)[1].time_ns
        return t.changed(program, name, lambda call: replace(call, exit_ns=came_ns - 1))(recording)

    return edit


def run_of(name: str, claim: str) -> Recording:
    """The steps of a recorded run that a claim is about."""
    scenario = RUNS[name]
    (wanted,) = (each for each in scenario.claims if each.id == claim)
    return e.only(s.recording_of(name), wanted.step_names or (scenario.steps[0].name,))


@pytest.mark.parametrize("name", RUNS)
def test_every_claim_of_a_scenario_holds_for_its_traced_run(name: str) -> None:
    judgements = judge(RUNS[name].claims, build_timelines(s.recording_of(name)))
    doubtful = [j for j in judgements if j.verdict.outcome is not Outcome.HOLDS]
    assert doubtful == []
    for claim in r.told_by_system_calls(RUNS[name].claims):
        (verdict,) = (j.verdict for j in judgements if j.claim is claim)
        assert any(event.kind is EventKind.SYSTEM_CALL for event in verdict.evidence)


@pytest.mark.parametrize("name", RUNS)
def test_no_cause_comes_behind_its_effect_in_a_traced_run(name: str) -> None:
    for timeline in build_timelines(s.recording_of(name)):
        assert (timeline.order.violations, timeline.bracket.incomplete) == ((), ())


@pytest.mark.parametrize("name", UNTRACED_RUNS)
def test_without_a_trace_the_claims_that_ask_it_are_skipped_and_no_others(name: str) -> None:
    scenario = UNTRACED_RUNS[name]
    judgements = judge(scenario.claims, build_timelines(s.recording_of(name)))
    skipped = {
        j.claim.id: j.verdict.why for j in judgements if j.verdict.outcome is Outcome.SKIPPED
    }
    asking = [claim.id for claim in r.told_by_system_calls(scenario.claims)]
    assert skipped == dict.fromkeys(asking, UNTRACED)
    assert asking


@pytest.mark.parametrize("name", RUNS)
def test_a_claim_that_is_skipped_says_why_nothing_was_traced(name: str) -> None:
    recording = t.untraced(s.recording_of(name), "not traced (ptrace: EPERM)")
    why = "calls: not traced (ptrace: EPERM)"
    judgements = judge(r.told_by_system_calls(RUNS[name].claims), build_timelines(recording))
    assert {(j.verdict.outcome, j.verdict.why) for j in judgements} == {(Outcome.SKIPPED, why)}


@pytest.mark.parametrize("claim", [CONNECT, ACCEPT])
def test_claims_on_connections_are_skipped_where_none_was_opened(claim: str) -> None:
    recording = r.without(SYN_ACK, *range(6, 21), LAST_ACK)(s.recording_of("traced-tcp4"))
    verdict = t.checked(TCP, claim, recording)
    assert (verdict.outcome, verdict.why) == (Outcome.SKIPPED, "no TCP connection was opened")


def test_bytes_are_not_counted_where_there_is_no_connection_and_no_datagram() -> None:
    unopened = r.without(SYN_ACK, *range(6, 21), LAST_ACK)(s.recording_of("traced-tcp4"))
    verdict = moves_each_byte_of_streams(build_timelines(unopened)[0])
    assert (verdict.outcome, verdict.why) == (Outcome.SKIPPED, "no TCP connection was opened")
    unsent = r.without(*range(3, 9))(run_of("traced-udp4", UDP_BYTES))
    verdict = moves_each_byte_of_datagrams(build_timelines(unsent)[0])
    assert (verdict.outcome, verdict.why) == (Outcome.SKIPPED, "no UDP datagram was sent")
    assert t.checked(TCP, TCP_BYTES, unopened).outcome is Outcome.BROKEN
    assert t.checked(UDP, UDP_BYTES, unsent).outcome is Outcome.UNDECIDED


# Times: connect() and accept() around the handshake.

IMPOSSIBLE = [
    (CONNECT, entered_after("client", "connect", SYN), "f3 left before client#2 was entered"),
    (CONNECT, returned_before("client", "connect", SYN_ACK), "client#2 returned before f4 came"),
    (ACCEPT, returned_before("server", "accept4", LAST_ACK), "server#5 returned before f5 came"),
]  # fmt: skip


@pytest.mark.parametrize("name", TCP_RUNS)
@pytest.mark.parametrize(("claim", "edit", "why"), IMPOSSIBLE)
def test_a_call_at_an_impossible_time_breaks_the_claim(
    name: str, claim: str, edit: r.Edit, why: str
) -> None:
    verdict = t.checked(TCP, claim, edit(s.recording_of(name)))
    assert (verdict.outcome, verdict.why) == (Outcome.BROKEN, why)
    assert all(str(event) in why for event in verdict.evidence)


@pytest.mark.parametrize("name", TCP_RUNS)
@pytest.mark.parametrize(("claim", "edit", "why"), IMPOSSIBLE)
def test_a_call_at_an_impossible_time_is_judged_an_error_of_the_instrument(
    name: str, claim: str, edit: r.Edit, why: str
) -> None:
    verdict = s.verdict_of(TCP, claim, edit(s.recording_of(name)))
    assert (verdict.outcome, "instrument error" in verdict.why) == (Outcome.UNDECIDED, True)


@pytest.mark.parametrize("name", TCP_RUNS)
@pytest.mark.parametrize(("result", "told"), [(-115, "EINPROGRESS"), (None, "it never returned")])
def test_a_connect_that_did_not_wait_need_not_return_after_the_answer(
    name: str, result: int | None, told: str
) -> None:
    early = returned_before("client", "connect", SYN_ACK)(s.recording_of(name))
    edited = t.changed("client", "connect", t.with_result(result))(early)
    verdict = t.checked(TCP, CONNECT, edited)
    assert (verdict.outcome, verdict.why) == (Outcome.HOLDS, f"client#2 did not wait ({told})")


@pytest.mark.parametrize("name", TCP_RUNS)
def test_accept_waits_for_its_connection_or_finds_one_that_waited(name: str) -> None:
    waited_for = t.checked(TCP, ACCEPT, s.recording_of(name))
    late = entered_after("server", "accept4", 6)(s.recording_of(name))
    waited = t.checked(TCP, ACCEPT, late)
    assert waited_for.why.endswith("after f5, which it had waited for")
    assert waited.why.endswith("after f5, which had waited")
    assert waited.outcome is Outcome.HOLDS


@pytest.mark.parametrize(
    ("claim", "edit"),
    [
        (CONNECT, t.changed("client", "connect", t.not_there)),
        (CONNECT, t.unseen("client")),
        (ACCEPT, t.changed("server", "accept4", t.not_there)),
        (ACCEPT, t.changed("server", "accept4", t.with_result(None))),
        (ACCEPT, t.unseen("server")),
    ],
)
@pytest.mark.parametrize("name", TCP_RUNS)
def test_a_connection_whose_call_was_not_traced_decides_nothing(
    name: str, claim: str, edit: r.Edit
) -> None:
    verdict = s.verdict_of(TCP, claim, edit(s.recording_of(name)))
    assert (verdict.outcome, verdict.why) == (Outcome.UNDECIDED, UNJOINED)


# Bytes: what calls moved, and what crossed the wire.

LAST_SEND_LONGER = t.changed("client", "sendto", t.more_result(1), nth=2)
SECOND_SEND_SHORTER = t.changed("client", "sendto", t.more_result(-1), nth=1)
SECOND_SEND_UNSEEN = t.changed("client", "sendto", t.not_there, nth=1)
MISCOUNTED_STREAMS = [
    (LAST_SEND_LONGER, "49 bytes sent, 48 on the wire, 48 read"),
    (SECOND_SEND_SHORTER, "47 bytes sent, 48 on the wire, 48 read"),
    (SECOND_SEND_UNSEEN, "2 sends → 3 segments → 3 reads; 22 bytes sent, 48 on the wire"),
    (t.unseen("client", "sendto"), "0 sends → 3 segments → 3 reads; 0 bytes sent, 48 on the wire"),
    (t.changed("server", "sendto", t.more_result(-1)), "42 bytes sent, 43 on the wire, 43 read"),
    (t.changed("client", "recvfrom", t.more_result(1)), "43 bytes sent, 43 on the wire, 44 read"),
]


@pytest.mark.parametrize("name", TCP_RUNS)
@pytest.mark.parametrize(("edit", "why"), MISCOUNTED_STREAMS)
def test_bytes_of_a_stream_that_only_calls_or_only_the_wire_have_break_the_claim(
    name: str, edit: r.Edit, why: str
) -> None:
    recording = edit(s.recording_of(name))
    verdict = t.checked(TCP, TCP_BYTES, t.as_printed(recording))
    assert (verdict.outcome, why in verdict.why) == (Outcome.BROKEN, True), verdict.why
    doubtful = s.verdict_of(TCP, TCP_BYTES, recording)
    assert (doubtful.outcome, " wrong" in doubtful.why) == (Outcome.UNDECIDED, True), doubtful.why


@pytest.mark.parametrize("name", TCP_RUNS)
def test_bytes_on_their_way_when_all_ended_break_nothing(name: str) -> None:
    """What no acknowledged FIN follows may have been sent and not have arrived: who knows."""
    cut_off = r.both(
        r.without(*range(10, 21)),
        t.unseen("server", "recvfrom", "sendto"),
        t.unseen("client", "recvfrom"),
    )
    recording = cut_off(s.recording_of(name))
    verdict = moves_each_byte_of_streams(build_timelines(recording)[0])
    told = "48 bytes sent, 33 on the wire, 0 read"
    assert (verdict.outcome, told in verdict.why) == (Outcome.UNDECIDED, True), verdict.why
    assert t.checked(TCP, TCP_BYTES, t.as_printed(recording)).outcome is Outcome.BROKEN


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (SECOND_SEND_SHORTER, "44 bytes sent, 45 on the wire, 45 read"),
        (SECOND_SEND_UNSEEN, "3 sends → 4 datagrams → 4 reads; 20 bytes sent, 45 on the wire"),
        (t.changed("server", "recvfrom", t.more_result(1)), "45 on the wire, 46 read"),
        (r.lost(4), "45 bytes sent, 20 on the wire, 45 read"),
        (r.without(4), "4 sends → 3 datagrams → 4 reads"),
    ],
)
def test_datagrams_that_only_calls_or_only_the_wire_have_break_the_claim(
    edit: r.Edit, why: str
) -> None:
    recording = t.as_printed(edit(run_of("traced-udp4", UDP_BYTES)))
    verdict = t.checked(UDP, UDP_BYTES, recording)
    assert (verdict.outcome, why in verdict.why) == (Outcome.BROKEN, True), verdict.why


def test_bytes_are_undecided_where_a_call_does_not_say_how_many_it_sent() -> None:
    edit = t.changed("client", "sendto", t.with_result(None), nth=1)
    verdict = t.checked(UDP, UDP_BYTES, edit(run_of("traced-udp4", UDP_BYTES)))
    told = "20 bytes sent, 45 on the wire, 45 read"
    assert (verdict.outcome, told in verdict.why) == (Outcome.UNDECIDED, True), verdict.why
    assert verdict.evidence


@pytest.mark.parametrize(
    ("name", "claim", "flow"),
    [("traced-udp4", UDP_BYTES, "udp 0"), ("traced-tcp4", TCP_BYTES, "tcp 0")],
)
@pytest.mark.parametrize(
    ("program", "old", "new", "what"),
    [("client", "sendto", "sendmmsg", "sends"), ("server", "recvfrom", "recvmmsg", "receives")],
)
def test_bytes_are_undecided_where_a_call_moved_several_messages_at_once(
    name: str, claim: str, flow: str, program: str, old: str, new: str, what: str
) -> None:
    edit = t.changed(program, old, lambda call: replace(call, name=new, result=1), nth=1)
    verdict = t.checked(RUNS[name], claim, edit(run_of(name, claim)))
    why = f"{flow}: not counted: {new}(2) {what} several messages at once, which are not followed"
    assert (verdict.outcome, verdict.why) == (Outcome.UNDECIDED, why)
    assert verdict.evidence


def test_a_datagram_that_is_lost_and_not_read_breaks_nothing() -> None:
    lost = r.lost(4)(run_of("traced-udp4", UDP_BYTES))
    unread = t.changed("server", "recvfrom", t.not_there, nth=1)(lost)
    verdict = moves_each_byte_of_datagrams(build_timelines(unread)[0])
    told = "45 bytes sent, 20 on the wire, 20 read"
    assert (verdict.outcome, told in verdict.why) == (Outcome.HOLDS, True), verdict.why
    assert t.checked(UDP, UDP_BYTES, unread).outcome is Outcome.BROKEN


@pytest.mark.parametrize("calls", [("recvfrom", 0), ("recvfrom", 1)])
def test_bytes_that_arrived_and_were_not_read_break_the_claim(calls: tuple[str, int]) -> None:
    name, nth = calls
    unread = t.changed("server", name, t.not_there, nth)(s.recording_of("traced-tcp4"))
    verdict = t.checked(TCP, TCP_BYTES, t.as_printed(unread))
    assert (verdict.outcome, "48 on the wire, 32 read" in verdict.why) == (Outcome.BROKEN, True)


@pytest.mark.parametrize(
    ("step", "call"),
    [
        ("stream-write", "write"),
        ("stream-send", "sendto"),
        ("stream-sendto", "sendto"),
        ("stream-sendmsg", "sendmsg"),
    ],
)
def test_whichever_calls_and_step_they_are_bytes_are_accounted_for(step: str, call: str) -> None:
    fewer = t.changed(f"{step}-client", call, t.more_result(-1))(
        run_of("traced-calls4", CALLS_BYTES)
    )
    verdict = t.checked(CALLS, CALLS_BYTES, t.as_printed(fewer))
    assert (verdict.outcome, "38 bytes sent, 39 on the wire" in verdict.why) == (
        Outcome.BROKEN,
        True,
    ), verdict.why
    assert all(event.program.startswith(step) for event in verdict.evidence)


@pytest.mark.parametrize(
    ("name", "claim", "program"),
    [
        ("traced-tcp4", TCP_BYTES, "server"),
        ("traced-tcp6", TCP_BYTES, "client"),
        ("traced-udp4", UDP_BYTES, "server"),
        ("traced-calls4", CALLS_BYTES, "stream-send-server"),
    ],
)
def test_bytes_are_undecided_where_one_end_was_not_traced(
    name: str, claim: str, program: str
) -> None:
    verdict = s.verdict_of(RUNS[name], claim, t.unseen(program)(run_of(name, claim)))
    assert verdict.outcome is Outcome.UNDECIDED
    assert verdict.why.endswith("one of its sockets is unknown")


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        (name, claim.id)
        for name, scenario in RUNS.items()
        for claim in r.told_by_system_calls(scenario.claims)
    ],
)
def test_every_claim_that_asks_the_trace_is_undecided_by_an_incomplete_instrument(
    name: str, claim: str
) -> None:
    run = run_of(name, claim)
    step = [canary.step for canary in run.canaries][-1]
    for edit in (s.without_a_canary(step), s.with_drops, t.lossy):
        assert s.verdict_of(RUNS[name], claim, edit(run)).outcome is Outcome.UNDECIDED
