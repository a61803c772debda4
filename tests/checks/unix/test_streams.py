from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import recorded as r
import run_edits as e
import step_edits as s
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.crossing import Crossing
from lab.analysis.judging import judge
from lab.model.claim import Outcome
from lab.records import Instrument, InstrumentKind, Recording, SocketSeen
from scenarios.unix import SCENARIO

CLAIMS = {claim.id: claim for claim in r.told_by_frames_and_words(SCENARIO.claims)}
FIRST_STEP = SCENARIO.steps[0].name
FAMILIES = [4, 6]
QUIET_STEPS = CLAIMS["unix-silent"].step_names
POINTS = ("client/eth0", "server/eth0", "client/lo", "server/lo")
SECOND_BIND = "bind(4, '/run/wirelab/names/path') = -1 EADDRINUSE"
CLOSED = "close(3) = 0\nstat"


def run(family: int = 4) -> Recording:
    return s.recording_of(f"unix{family}")


def steps_of(claim: str) -> tuple[str, ...]:
    return CLAIMS[claim].step_names or (FIRST_STEP,)


def sockets_with(**changes: Any) -> r.Edit:
    """The ends of the connection, as the kernel might have shown them instead."""

    def of(seen: SocketSeen) -> SocketSeen:
        return seen if seen.state == "LISTEN" else replace(seen, **changes)

    return lambda recording: replace(recording, sockets=tuple(map(of, recording.sockets)))


def not_seen(recording: Recording) -> Recording:
    """The kernel showed the listening socket alone."""
    kept = tuple(seen for seen in recording.sockets if seen.state == "LISTEN")
    return replace(recording, sockets=kept)


def none_seen(recording: Recording) -> Recording:
    return replace(recording, sockets=())


def without_unix_diag(recording: Recording) -> Recording:
    kind = InstrumentKind.UNIX_SOCKETS
    kept = (each for each in recording.instruments if each.kind is not kind)
    instruments = (*kept, Instrument(kind, None, 0, "none"))
    return replace(none_seen(recording), instruments=instruments)


def without_point(name: str) -> r.Edit:
    """A capture that had one point less, and no canaries there."""

    def edit(recording: Recording) -> Recording:
        frames = [frame for frame in recording.frames if frame.point != name]
        less = replace(
            recording,
            points=tuple(point for point in recording.points if point.name != name),
            canaries=tuple(canary for canary in recording.canaries if canary.point != name),
        )
        return r.with_frames(less, frames)

    return edit


def says_hello(crossing: Crossing) -> bool:
    return crossing.packet.payload == b"Hello. "


def on_eth0(recording: Recording) -> Recording:
    """The connection over lo went over the link instead."""
    ((left, came),) = s.frames_of(recording, "loopback", says_hello)
    point_of = {left: "server/eth0", came: "client/eth0"}
    frames = [replace(f, point=point_of.get(f, f.point)) for f in recording.frames]
    return r.with_frames(recording, frames)


def seen_once(recording: Recording) -> Recording:
    """A frame left and never arrived."""
    ((_, arrival),) = s.frames_of(recording, "loopback", says_hello)
    return r.with_frames(recording, [f for f in recording.frames if f is not arrival])


def without_the_connection(recording: Recording) -> Recording:
    """No frame on lo but canaries."""
    sizes = {len(canary.payload) + 14 for canary in recording.canaries}
    return r.with_frames(recording, [f for f in recording.frames if len(f.data) in sizes])


BROKEN = [
    *(
        ("unix-silent", e.leaked(step, point), f"1 frame seen, at {point}")
        for step in QUIET_STEPS
        for point in POINTS
    ),
    ("unix-bytes", e.told("server", "recv(4, b'Hello.", "recv(4, b'Jello."), "they differ"),
    ("unix-bytes", e.told("client", "send(3, b'Hello. ') = 7\n", ""), "41 bytes sent, 48 read"),
    ("unix-bytes", e.told("server", "send(4, b'I read ') = 7", "send(4, b'I read ') = 6"), "42"),
    ("unix-two-ends", sockets_with(peer_inode=7), "has peer 7"),
    ("unix-two-ends", sockets_with(peer_inode=None), "has peer None"),
    (
        "unix-two-ends",
        r.both(
            sockets_with(receive_queue=47),
            e.told("server", "FIONREAD, 48", "FIONREAD, 47"),
        ),
        "48 bytes sent and not read yet, 47 in",
    ),
    ("unix-two-ends", sockets_with(state="CLOSE"), "has peer"),
    (
        "unix-reach",
        e.told("client", "conversation') = 0", "conversation') = -1 ENOENT"),
        "the path was not reached",
    ),
    (
        "unix-reach",
        e.told("near-client", "'@wirelab') = 0", "'@wirelab') = -1 ECONNREFUSED"),
        "the name was not reached on its own host",
    ),
    ("unix-reach", e.told("far-client", "-1 ECONNREFUSED", "0"), "met success, not ECONNREFUSED"),
    ("unix-reach", e.told("far-client", "-1 ECONNREFUSED", "-1 EACCES"), "met EACCES"),
    ("unix-mode", e.told("path", "'mode': 0o750", "'mode': 0o777"), "with mode 0o750"),
    ("unix-mode", e.told("path", "S_IFSOCK", "another"), "not a socket"),
    ("unix-mode", e.told("path", "path') = -1 EACCES", "path') = 0"), "without success"),
    ("unix-mode", e.told("path", "connect(4, '/run/wirelab/names/path') = 0",
                         "connect(4, '/run/wirelab/names/path') = -1 EACCES"), "met EACCES"),
    ("unix-path-stays", e.told("path", SECOND_BIND, SECOND_BIND[:-13] + "0", 1), "no EADDRINUSE"),
    ("unix-path-stays", e.told("path", "-1 EADDRINUSE\nsocket", "0\nsocket"), "no EADDRINUSE"),
    ("unix-path-stays", e.told("path", "-1 ECONNREFUSED", "0"), "and success"),
    ("unix-path-stays", e.told("path", "bind(4, '/run/wirelab/names/path') = 0",
                               SECOND_BIND), "after unlink"),
    ("unix-abstract-goes", e.told("no-path", "bind(4, '@wirelab') = -1 EADDRINUSE",
                                  "bind(4, '@wirelab') = 0"), "met success while"),
    ("unix-abstract-goes", e.told("no-path", "bind(4, '@wirelab') = 0",
                                  "bind(4, '@wirelab') = -1 EADDRINUSE"), "EADDRINUSE after"),
    ("unix-unnamed", e.told("no-path", "getsockname(4, '')", "getsockname(4, '@0')"), "has a name"),
    ("unix-unnamed", e.told("no-path", "recv(4, b'ping'", "recv(4, b'pang'"), "not talk both ways"),
    ("unix-unnamed", e.told("no-path", "send(4, b'pong') = 4\nrecv(3, b'pong', 16) = 4\n", ""),
     "not talk both ways"),
    ("unix-loopback", on_eth0, "was seen at server/eth0"),
    ("unix-loopback", seen_once, "was seen once"),
    ("unix-loopback", e.leaked("loopback", "client/eth0"), "was seen at client/eth0"),
    ("unix-loopback", s.without("loopback", says_hello), "bytes sent, 0 in frames"),
    ("unix-loopback", without_the_connection, "0 TCP connections"),
]  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_holds_for_a_recorded_run(claim: str, family: int) -> None:
    verdict = s.verdict_of(SCENARIO, claim, run(family))
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


def test_the_ends_are_undecided_where_nothing_was_looked_at() -> None:
    assert s.verdict_of(SCENARIO, "unix-two-ends", none_seen(run())).outcome is Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (sockets_with(receive_queue=47), "48 bytes sent and not read yet, 47 in"),
        (not_seen, "no sockets with the programs' inodes"),
        (e.told("server", "'st_ino': ", "'st_ino': 9"), "no sockets with the programs' inodes"),
    ],
)
def test_what_sock_diag_alone_says_otherwise_than_the_programs_decides_nothing(
    edit: r.Edit, why: str
) -> None:
    verdict = s.verdict_of(SCENARIO, "unix-two-ends", edit(run()))
    assert verdict.outcome is Outcome.UNDECIDED
    assert "sock_diag contradict each other: " in verdict.why
    assert why in verdict.why


def test_the_ends_are_skipped_where_the_kernel_cannot_show_them() -> None:
    verdict = s.verdict_of(SCENARIO, "unix-two-ends", without_unix_diag(run()))
    assert (verdict.outcome, "unix_diag" in verdict.why) == (Outcome.SKIPPED, True)


def test_a_refusal_proves_nothing_where_the_server_may_have_ended() -> None:
    def late(recording: Recording) -> Recording:
        programs = tuple(
            replace(program, ready_ns=program.ended_ns + 10**9) if program.name == "far-client"
            else program
            for program in recording.programs
        )  # fmt: skip
        return replace(recording, programs=programs)

    assert s.verdict_of(SCENARIO, "unix-reach", late(run())).outcome is Outcome.UNDECIDED


# Silence is claimed honestly.


@pytest.mark.parametrize("step", QUIET_STEPS)
def test_silence_is_undecided_when_a_canary_is_missing(step: str) -> None:
    verdict = s.verdict_of(SCENARIO, "unix-silent", s.without_a_canary(step)(run()))
    assert (verdict.outcome, "canary" in verdict.why) == (Outcome.UNDECIDED, True), verdict.why


@pytest.mark.parametrize("point", POINTS)
def test_silence_is_undecided_when_one_canary_was_not_seen_at_one_point(point: str) -> None:
    def deaf(recording: Recording) -> Recording:
        frames = [f for f in recording.frames if f.point != point]
        kept = [f for f in recording.frames if f.point == point]
        return r.with_frames(recording, [*frames, *kept[1:]])

    assert s.verdict_of(SCENARIO, "unix-silent", deaf(run())).outcome is Outcome.UNDECIDED


def test_silence_is_undecided_when_the_kernel_dropped_a_frame() -> None:
    verdict = s.verdict_of(SCENARIO, "unix-silent", s.with_drops(run()))
    assert (verdict.outcome, "dropped 1 frame" in verdict.why) == (Outcome.UNDECIDED, True)


@pytest.mark.parametrize("step", QUIET_STEPS)
def test_silence_is_undecided_when_the_capture_stopped_early(step: str) -> None:
    verdict = s.verdict_of(SCENARIO, "unix-silent", e.cut_off_in(step)(run()))
    assert (verdict.outcome, "closing" in verdict.why) == (Outcome.UNDECIDED, True), verdict.why


def test_silence_is_undecided_when_a_point_counted_more_frames_than_are_there() -> None:
    first, *others = run().points
    recording = replace(run(), points=(replace(first, frames=first.frames + 1), *others))
    assert s.verdict_of(SCENARIO, "unix-silent", recording).outcome is Outcome.UNDECIDED


@pytest.mark.parametrize("point", POINTS)
def test_silence_is_undecided_where_an_interface_was_not_captured(point: str) -> None:
    verdict = s.verdict_of(SCENARIO, "unix-silent", without_point(point)(run()))
    assert verdict.outcome is Outcome.UNDECIDED, verdict.why


def test_a_leak_does_not_break_silence_where_the_capture_is_incomplete() -> None:
    incomplete = s.with_drops(e.leaked("conversation", "server/lo")(run()))
    assert s.verdict_of(SCENARIO, "unix-silent", incomplete).outcome is Outcome.UNDECIDED


def test_frames_of_another_step_do_not_break_silence() -> None:
    """The TCP conversation on lo is in the same capture."""
    assert any(t.step == "loopback" and t.crossings for t in build_timelines(run()))
    assert s.verdict_of(SCENARIO, "unix-silent", run()).outcome is Outcome.HOLDS


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_is_undecided_by_an_incomplete_capture(claim: str) -> None:
    for edit in (s.without_a_canary(steps_of(claim)[-1]), s.with_drops):
        assert s.verdict_of(SCENARIO, claim, edit(run())).outcome is Outcome.UNDECIDED


@examples(60)
@given(st.integers(0, 1 << 32))
def test_no_garbled_output_makes_judging_fail(seed: int) -> None:
    timelines = build_timelines(e.garbled(run(), seed))
    judgements = judge(SCENARIO.claims, timelines)
    known = {c.id for t in timelines for calls in t.calls.values() for c in calls}
    known |= {c.id for t in timelines for c in t.crossings}
    assert all(set(j.verdict.evidence) <= known for j in judgements)
