from __future__ import annotations

from functools import cache

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
from lab.analysis.packets.packet import TcpFlags
from lab.model.claim import Outcome
from lab.records import Recording
from scenarios.calls import SCENARIO

CLAIMS = [claim.id for claim in r.told_by_frames_and_words(SCENARIO.claims)]
STEPS_OF = {claim.id: claim.step_names for claim in SCENARIO.claims}
FAMILIES = [4, 6]
STREAM, DATAGRAM = "stream-flags", "datagram-flags"
SERVER, DATAGRAM_SERVER = f"{STREAM}-server", f"{DATAGRAM}-server"
TEXT, LONG = b"The same bytes, ", b"More than the reader has room for."
TWO_SENDS = b"Two sends, one segment. "
URGENT_FLAG, URGENT_POINTER = 13, 18  # offsets in the TCP header


def whole_run(family: int) -> Recording:
    return s.recording_of(f"calls{family}")


@cache
def run(family: int, claim: str) -> Recording:
    """The steps that the claim is about."""
    return e.only(whole_run(family), STEPS_OF[claim])


def with_payload(data: bytes) -> s.Wanted:
    return lambda crossing: crossing.packet.payload == data


def is_urgent(crossing: Crossing) -> bool:
    return crossing.packet.tcp is not None and bool(crossing.packet.tcp.flags & TcpFlags.URG)


def is_bare_ack(crossing: Crossing) -> bool:
    tcp = crossing.packet.tcp
    return tcp is not None and tcp.flags == TcpFlags.ACK and not crossing.packet.payload


def in_tcp(offset: int, new: bytes) -> r.Change:
    return lambda data: r.patch(r.tcp_at(data) + offset, new)(data)


def last_byte(new: bytes) -> r.Change:
    return lambda data: data[:-1] + new


def one_copy_less(step: str, payload: bytes) -> r.Edit:
    """The first crossing of several alike never happened."""

    def edit(recording: Recording) -> Recording:
        gone = s.frames_of(recording, step, with_payload(payload))[0]
        return r.with_frames(recording, [f for f in recording.frames if f not in gone])

    return edit


def sent_by(step: str, new: str) -> r.Edit:
    """A step whose programs sent and read with another's calls."""
    call = step.rpartition("-")[2]
    roles = ("client", "server")
    return r.both(*(e.told(f"{step}-{role}", f"{call}(", f"{new}(") for role in roles))


BROKEN = [
    (
        "same-segments",
        s.changed("stream-send", with_payload(TEXT), r.set_tcp(flags=r.ACK)),
        "of stream-send differs from",
    ),
    ("same-segments", s.changed("stream-sendto", with_payload(TEXT), r.drop_option(8)), "differs"),
    (
        "same-segments",
        s.changed("stream-sendmsg", with_payload(TEXT), r.set_payload(TEXT.lower())),
        "of stream-sendmsg differs from",
    ),
    (
        "same-segments",
        s.changed("stream-send", with_payload(TEXT), r.add_to("seq", 1)),
        "stream-send has 9 segments",
    ),
    ("same-segments", s.without("stream-send", with_payload(TEXT)), "stream-send has 9 segments"),
    (
        "same-segments",
        s.changed("stream-send", with_payload(TEXT), r.set_tcp(source_port=9)),
        "stream-send: 2 TCP connections",
    ),
    ("same-segments", sent_by("stream-send", "write"), "not held with one call of its own"),
    ("same-reads", e.told("stream-send-client", "b'HELLO. '", "b'HOWDY. '"), "stream-send differs"),
    ("same-reads", e.line_gone("stream-sendto-server", "recvfrom"), "stream-sendto has 7 reads"),
    ("same-reads", e.told("stream-send-server", "recv(", "read("), "not held with one call"),
    ("same-datagrams", s.without("datagram-send", with_payload(TEXT)), "datagram-send has 5"),
    (
        "same-datagrams",
        s.changed("datagram-sendmsg", with_payload(TEXT), last_byte(b"!")),
        "of datagram-sendmsg differs",
    ),
    ("same-datagrams", sent_by("datagram-send", "write"), "not held with one call of its own"),
    ("same-datagram-reads", e.told("datagram-send-client", "b'HELLO", "b'JELLO"), "differs"),
    ("peek", e.told(SERVER, "recv(4, b'Look at me. ', 64)", "recv(4, b'me. ', 64)"), "no read"),
    ("peek", e.told(DATAGRAM_SERVER, "recvfrom(3, b'I am one.', 64, (", "open(("), "no read"),
    ("dont-wait", e.told(SERVER, "-1 EAGAIN", "0"), "did not fail with EAGAIN"),
    ("dont-wait", e.told(DATAGRAM_SERVER, "-1 EAGAIN", "-1 EINTR"), "did not fail with EAGAIN"),
    ("wait-for-all", e.told(SERVER, "MSG_WAITALL) = 16", "MSG_WAITALL) = 5"), "returned 5, not 16"),
    ("wait-for-all", s.without(STREAM, with_payload(b"a message. ")), "did not come in pieces"),
    ("wait-for-all", e.told(SERVER, "recv(4, b'Half ', 16)", "recv(4, b'Half ', 5)"), "in pieces"),
    ("more", s.changed(STREAM, with_payload(TWO_SENDS), r.set_payload(b"Two sends, ")), "in 0 seg"),
    (
        "more",
        r.both(
            s.with_more(
                STREAM,
                with_payload(TWO_SENDS),
                lambda data: r.with_checksums(
                    r.add_to("seq", 11)(r.set_payload(b"one segment. ")(data))
                ),
            ),
            s.changed(STREAM, with_payload(TWO_SENDS), r.set_payload(b"Two sends, ")),
        ),
        "left in 2 segments",
    ),
    ("out-of-band", s.changed(STREAM, is_urgent, in_tcp(URGENT_FLAG, b"\x18")), "no segment has"),
    (
        "out-of-band",
        s.changed(STREAM, is_urgent, in_tcp(URGENT_POINTER, b"\0\6")),
        "urgent pointer 6 does not lead to b'!'",
    ),
    ("out-of-band", e.told(SERVER, "b'!'", "b't'"), "did not get the last byte"),
    ("out-of-band", e.told(SERVER, "SIOCATMARK, 1", "SIOCATMARK, 0"), "did not turn"),
    ("out-of-band", e.told(SERVER, "urgent'", "urgent!'"), "was read in band"),
    ("addresses", s.without(DATAGRAM, with_payload(b"I am one.")), "no frame has the address"),
    ("addresses", e.told(DATAGRAM_SERVER, "(3, b'You are port", "(3, b'You were port"), "no frame"),
    ("addresses", e.line_gone(DATAGRAM_SERVER, "recvfrom(3, b'I am an"), "not each was answered"),
    ("truncation", e.told(DATAGRAM_SERVER, "), MSG_TRUNC) = 8", "), 0) = 8"), "did not return"),
    ("truncation", e.told(DATAGRAM_SERVER, ")) = 34", ")) = 8"), "returned 8, not the length"),
    ("truncation", one_copy_less(DATAGRAM, LONG), "did not carry three longer"),
    ("truncation", e.told(DATAGRAM_SERVER, "read(3, b'More tha'", "read(3, b'More'"), "three"),
    (
        "checksums",
        s.changed(STREAM, is_urgent, in_tcp(URGENT_POINTER, b"\0\6"), fix=False),
        "has a wrong Tcp checksum",
    ),
]  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_holds_for_a_recorded_run(family: int, claim: str) -> None:
    verdict = s.verdict_of(SCENARIO, claim, run(family, claim))
    assert verdict.outcome is Outcome.HOLDS, verdict.why
    assert verdict.evidence or claim == "calls-checksums"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("claim", "edit", "why"), BROKEN)
def test_a_claim_is_broken_by_a_run_that_does_otherwise(
    family: int, claim: str, edit: r.Edit, why: str
) -> None:
    claim = f"calls-{claim}"
    verdict = s.verdict_of(SCENARIO, claim, edit(run(family, claim)))
    assert (verdict.outcome, why in verdict.why) == (Outcome.BROKEN, True), verdict.why


def test_every_claim_has_a_run_that_breaks_it() -> None:
    assert {f"calls-{case[0]}" for case in BROKEN} == set(CLAIMS)


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if claim != "calls-checksums"])
def test_every_claim_on_calls_is_undecided_where_the_programs_print_nothing(claim: str) -> None:
    verdict = s.verdict_of(SCENARIO, claim, r.silent(run(4, claim)))
    assert (verdict.outcome, "printed no" in verdict.why) == (Outcome.UNDECIDED, True)


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_is_undecided_where_the_capture_is_incomplete(claim: str) -> None:
    step = STEPS_OF[claim][-1]
    for edit in (s.without_a_canary(step), s.with_drops, e.cut_off_in(step)):
        assert s.verdict_of(SCENARIO, claim, edit(run(6, claim))).outcome is Outcome.UNDECIDED


@pytest.mark.parametrize("family", FAMILIES)
def test_acknowledgements_without_data_may_come_as_timers_will(family: int) -> None:
    edit = s.without("stream-send", is_bare_ack)
    verdict = s.verdict_of(
        SCENARIO, "calls-same-segments", edit(run(family, "calls-same-segments"))
    )
    assert verdict.outcome is Outcome.HOLDS, verdict.why


@pytest.mark.parametrize(
    ("claim", "step", "payload"),
    [
        ("calls-same-segments", "stream-sendto", TEXT),
        ("calls-more", STREAM, TWO_SENDS),
        ("calls-wait-for-all", STREAM, b"a message. "),
        ("calls-out-of-band", STREAM, b"urgent!"),
    ],
)
def test_a_segment_that_a_timer_repeats_breaks_nothing(
    claim: str, step: str, payload: bytes
) -> None:
    again = s.with_more(step, with_payload(payload), lambda data: data)
    verdict = s.verdict_of(SCENARIO, claim, again(run(4, claim)))
    assert verdict.outcome is Outcome.HOLDS, verdict.why


@examples(40)
@given(st.sampled_from(FAMILIES), st.integers(0, 1 << 32), st.floats(0, 1))
def test_no_garbled_output_or_lost_frame_makes_judging_fail(
    family: int, seed: int, kept: float
) -> None:
    recording = e.garbled(whole_run(family), seed)
    frames = [f for n, f in enumerate(recording.frames) if (n * 0.618) % 1 <= kept]
    timelines = build_timelines(r.with_frames(recording, frames))
    known = {call.id for t in timelines for calls in t.calls.values() for call in calls}
    known |= {crossing.id for t in timelines for crossing in t.crossings}
    for judgement in judge(SCENARIO.claims, timelines):
        assert set(judgement.verdict.evidence) <= known
