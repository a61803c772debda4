from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
import run_edits as e
import step_edits as s
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.assembly import build_timelines
from lab.analysis.judging import judge
from lab.model.claim import Outcome
from lab.records import Recording
from scenarios.unix_types import SCENARIO

CLAIMS = {claim.id: claim for claim in SCENARIO.claims}
QUIET_STEPS = CLAIMS["unix-types-silent"].step_names
POINTS = ("client/eth0", "server/eth0", "client/lo", "server/lo")
NAMES = ("path", "abstract", "unnamed")
LONG = "b'Two does not fit into sixteen bytes. '"
CUT = "b'Two does not fit', 16, MSG_TRUNC) = 16"


def run() -> Recording:
    return s.recording_of("unix-types")


def whole_reads(text: str) -> str:
    """A stream that was read as it was sent."""
    kept = [line for line in text.splitlines() if not line.startswith("recvmsg")]
    sent = [b"One. ", b"Two does not fit into sixteen bytes. ", b"Three. "]
    return "\n".join(kept + [f"recvmsg(5, {data!r}, 64, 0) = {len(data)}" for data in sent])


def waited(nanoseconds: int) -> r.Edit:
    """A send without MSG_DONTWAIT that took just so long."""

    def change(text: str) -> str:
        lines = text.splitlines()
        clocks = [i for i, line in enumerate(lines) if line.startswith("clock_gettime")]
        for i, time_ns in zip(clocks, (1000, 1000 + nanoseconds), strict=True):
            lines[i] = f"clock_gettime(CLOCK_MONOTONIC, {time_ns}) = 0"
        return "\n".join(lines)

    return r.printed("queue-path", change)


def reordered(program: str, one: str, other: str) -> r.Edit:
    """A program that read two messages the other way round."""
    return r.both(
        e.told(program, one, "@@"), e.told(program, other, one), e.told(program, "@@", other)
    )


BROKEN = [
    *(
        ("unix-types-silent", e.leaked(step, point), f"1 frame seen, at {point}")
        for step in QUIET_STEPS
        for point in POINTS
    ),
    *(
        ("unix-types-stream", r.printed(f"stream-{name}", whole_reads), "just one send")
        for name in NAMES
    ),
    ("unix-types-stream", e.line_gone("stream-abstract", "recvmsg(5, b't fit"), "33 read"),
    (
        "unix-types-stream",
        e.told("stream-path", "recvmsg(5, b'One.", "recvmsg(5, b'Two."),
        "differ",
    ),
    *(
        (
            "unix-types-messages",
            reordered(f"{kind}-{name}", "b'One. ', 16, 0) = 5", "b'Three. ', 16, 0) = 7"),
            "read 1 is not message 1",
        )
        for kind in ("datagram", "seqpacket")
        for name in NAMES
    ),
    (
        "unix-types-messages",
        e.told(
            "seqpacket-path",
            "recvmsg(5, b'Three. ', 16, 0) = 7",
            "recvmsg(5, b'Th', 16, 0) = 2\nrecvmsg(5, b'ree. ', 16, 0) = 5",
        ),
        "3 messages, 4 reads",
    ),
    ("unix-types-messages", e.line_gone("datagram-unnamed", "recvmsg(4, b'Three"), "2 reads"),
    (
        "unix-types-short-read",
        e.told("seqpacket-unnamed", "MSG_TRUNC", "0"),
        "nothing of MSG_TRUNC",
    ),
    (
        "unix-types-short-read",
        e.told(
            "datagram-path",
            f"recvmsg(3, {CUT}",
            f"recvmsg(3, {CUT}\nrecvmsg(3, b' into sixteen by', 16, 0) = 16",
        ),
        "is not the next one",
    ),
    ("unix-types-short-read", e.line_gone("seqpacket-path", "recvmsg(5, b'Three"), "not the next"),
    *(
        (
            "unix-types-connection",
            e.told(
                f"{kind}-{name}",
                "send(4, b'Too early.') = -1 ENOTCONN",
                "send(4, b'Too early.') = 10",
            ),
            "met success",
        )
        for kind in ("stream", "datagram", "seqpacket")
        for name in NAMES[:2]
    ),
    ("unix-types-connection", e.line_gone("stream-path", "accept"), "without connect and accept"),
    ("unix-types-connection", e.line_gone("seqpacket-path", "connect"), "without connect"),
    (
        "unix-types-connection",
        e.told("datagram-path", "-1 EOPNOTSUPP", "0"),
        "listened or connected",
    ),
    (
        "unix-types-connection",
        e.told(
            "datagram-path",
            "sendto(4, b'One",
            "connect(4, '/run/wirelab/datagram') = 0\nsendto(4, b'One",
        ),
        "listened or connected",
    ),
    *(
        (
            "unix-types-end",
            e.told(f"{kind}-{name}", "b'', 16, 0) = 0", "b'', 16, 0) = -1 EAGAIN"),
            "met EAGAIN",
        )
        for kind in ("stream", "seqpacket")
        for name in NAMES
    ),
    *(
        (
            "unix-types-end",
            e.told(f"datagram-{name}", "b'', 16, 0) = -1 EAGAIN", "b'', 16, 0) = 0"),
            "met 0",
        )
        for name in NAMES
    ),
    ("unix-types-queue", e.told("queue-path", "EAGAIN", "ENOBUFS"), "met ENOBUFS, not EAGAIN"),
    ("unix-types-queue", waited(9_999_000), "waited 9999 of 20000 us"),
    (
        "unix-types-queue",
        e.line_gone("queue-unnamed", "recv(4, b'datagram 3'"),
        "not what was sent",
    ),
    (
        "unix-types-queue",
        reordered("queue-path", "recv(3, b'datagram 3'", "recv(3, b'datagram 4'"),
        "not what was sent",
    ),
    (
        "unix-types-queue",
        e.line_gone("queue-unnamed", "send(3, b'datagram 7', 0) = 10"),
        "room for 0",
    ),
    ("unix-types-raw", e.told("raw", "SO_TYPE, SOCK_DGRAM", "SO_TYPE, SOCK_RAW"), "says SOCK_RAW"),
    (
        "unix-types-raw",
        r.printed("raw", lambda _: "socket(AF_UNIX, SOCK_RAW) = -1 ESOCKTNOSUPPORT\n"),
        "met ESOCKTNOSUPPORT",
    ),
    (
        "unix-types-descriptor",
        e.told("receiver", "SCM_RIGHTS, [5]", "SCM_RIGHTS, []"),
        "no descriptor",
    ),
    (
        "unix-types-descriptor",
        e.told("receiver", "read(5, b'Only", "read(5, b'Lonely"),
        "is not write",
    ),
    ("unix-types-descriptor", e.told("receiver", "{'st_ino': ", "{'st_ino': 7"), "is not write"),
    (
        "unix-types-credentials",
        e.told("sender", "geteuid() = ", "geteuid() = 1"),
        "but the peer is",
    ),
    (
        "unix-types-credentials",
        e.told("receiver", "getpid() = ", "getpid() = 1"),
        "but the peer is",
    ),
    ("unix-types-credentials", e.told("receiver", "getegid() = ", "getegid() = 1"), "the peer is"),
    (
        "unix-types-credentials",
        e.told("sender", "SO_PEERCRED, (", "SO_PEERCRED, (1"),
        "the peer is",
    ),
    ("unix-types-internet", e.told("internet", "SCM_RIGHTS, []", "SCM_RIGHTS, [9]", 1), "arrived"),
    (
        "unix-types-internet",
        e.told(
            "internet", "SCM_RIGHTS, []) = 10\ngetsockopt(5", "SCM_RIGHTS, [9]) = 10\ngetsockopt(5"
        ),
        "arrived",
    ),
    ("unix-types-internet", e.told("internet", "(0, -1, -1)", "(19, 0, 0)", 1), "has a name"),
]


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_holds_for_a_recorded_run(claim: str) -> None:
    verdict = s.verdict_of(SCENARIO, claim, run())
    assert verdict.outcome is Outcome.HOLDS, verdict.why
    assert verdict.evidence


@pytest.mark.parametrize(("claim", "edit", "why"), BROKEN)
def test_a_claim_is_broken_by_a_run_that_does_otherwise(claim: str, edit: r.Edit, why: str) -> None:
    verdict = s.verdict_of(SCENARIO, claim, edit(run()))
    assert (verdict.outcome, why in verdict.why) == (Outcome.BROKEN, True), verdict.why


def test_every_claim_has_a_run_that_breaks_it() -> None:
    assert {case[0] for case in BROKEN} == set(CLAIMS)


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_is_undecided_where_the_programs_print_nothing(claim: str) -> None:
    assert s.verdict_of(SCENARIO, claim, r.silent(run())).outcome is Outcome.UNDECIDED


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_is_undecided_where_there_were_no_programs(claim: str) -> None:
    recording = replace(run(), programs=())
    assert s.verdict_of(SCENARIO, claim, recording).outcome is Outcome.UNDECIDED


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_is_undecided_by_an_incomplete_capture(claim: str) -> None:
    for step in CLAIMS[claim].step_names:
        for edit in (s.without_a_canary(step), e.cut_off_in(step)):
            assert s.verdict_of(SCENARIO, claim, edit(run())).outcome is Outcome.UNDECIDED
    assert s.verdict_of(SCENARIO, claim, s.with_drops(run())).outcome is Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("claim", "edit"),
    [
        (f"unix-types-{claim}", r.printed(program, lambda _: ""))
        for claim, program in (
            ("stream", "stream-unnamed"),
            ("messages", "seqpacket-abstract"),
            ("short-read", "datagram-abstract"),
            ("connection", "datagram-path"),
            ("connection", "stream-abstract"),
            ("end", "seqpacket-unnamed"),
            ("queue", "queue-unnamed"),
            ("descriptor", "sender"),
            ("credentials", "receiver"),
        )
    ],
)
def test_a_claim_on_several_programs_is_undecided_where_one_of_them_is_silent(
    claim: str, edit: r.Edit
) -> None:
    assert s.verdict_of(SCENARIO, claim, edit(run())).outcome is Outcome.UNDECIDED


@pytest.mark.parametrize("nanoseconds", [10_000_000, 20_000_000, 5_000_000_000])
def test_a_wait_may_be_a_tick_short_and_any_time_long(nanoseconds: int) -> None:
    verdict = s.verdict_of(SCENARIO, "unix-types-queue", waited(nanoseconds)(run()))
    assert verdict.outcome is Outcome.HOLDS, verdict.why


@pytest.mark.parametrize(
    "edit",
    [
        e.told("internet", "SO_PEERCRED, (0, -1, -1)) = 0", "SO_PEERCRED) = -1 ENOPROTOOPT"),
        r.both(
            e.told("internet", "SCM_RIGHTS, [3]) = 10", "SCM_RIGHTS, [3]) = -1 EINVAL"),
            e.line_gone("internet", "recvmsg"),
            e.line_gone("internet", "recvmsg"),
        ),
    ],
)
def test_an_internet_socket_may_refuse_what_it_does_not_pass(edit: r.Edit) -> None:
    verdict = s.verdict_of(SCENARIO, "unix-types-internet", edit(run()))
    assert verdict.outcome is Outcome.HOLDS, verdict.why


@examples(60)
@given(st.integers(0, 1 << 32))
def test_no_garbled_output_makes_judging_fail(seed: int) -> None:
    timelines = build_timelines(e.garbled(run(), seed))
    judgements = judge(SCENARIO.claims, timelines)
    known = {c.id for t in timelines for calls in t.calls.values() for c in calls}
    known |= {c.id for t in timelines for c in t.crossings}
    assert all(set(j.verdict.evidence) <= known for j in judgements)
