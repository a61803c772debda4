"""Crossings of both recordings, by number, two that find the neighbour before each step's others:

3 to 6 the client's datagrams, 5 the empty one, 7 and 8 the replies; 11 the one that is too large
for its reader, 12 the next; 15 to 17 the fragments of one, 18 the next; 21 and 23 to nobody, of the
unconnected and of the connected socket, 22 and 24 the errors about them.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
from event_ids import named
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from udp_edits import (
    FAMILIES,
    Case,
    answered,
    changed,
    claims_of,
    foreign,
    of_family_6,
    other_family,
    parameters,
    patch_udp,
    recorded,
    told,
    untold,
    verdict_of,
    with_payload,
)

from lab.analysis.assembly import build_timelines
from lab.analysis.judging import judge
from lab.ladder.build import build_ladder
from lab.model.claim import Outcome
from lab.records import Recording
from lab.report.capture.comments import frame_comments
from lab.report.document.report import report_document
from lab.report.document.writing import write_document
from lab.report.terminal.drawing.style import Style
from lab.report.terminal.page import About, draw_report
from scenarios.udp import SCENARIO

CLAIMS = [claim.id for claim in r.told_by_frames_and_words(SCENARIO.claims)]
BY_PROGRAMS = [
    "udp-boundaries", "udp-addresses", "udp-empty", "udp-unacknowledged", "udp-family",
    "udp-truncation", "udp-reassembly", "udp-refused",
]  # fmt: skip
TAG = bytes.fromhex("8100 0001")
A = b"A000A001A002A003A004A005A006A007A008A009"
OWN = claims_of("lab.checks.udp.delivery") | {"udp-neighbour", "udp-checksums"}
BROKEN: list[Case] = [
    ("udp-neighbour", r.without(1), "nobody asked who has"),
    ("udp-neighbour", r.moved(2, after=3), "nobody answered who has"),
    ("udp-no-handshake", r.without(*range(3, 9)), "no frame was seen but"),
    ("udp-no-handshake", r.moved(5, after=2), "f3 comes first, and carries no payload"),
    ("udp-no-handshake", foreign(3), "f3 comes first, and carries no payload"),
    ("udp-boundaries", r.without(4), "4 sends, 3 datagrams, 4 reads"),
    ("udp-boundaries", r.lost(4), "not cut alike"),
    ("udp-boundaries", r.repeated(8, delay_ns=1000), "2 sends, 3 datagrams, 2 reads"),
    ("udp-boundaries", changed(3, with_payload(b"Hello.")), "not cut alike"),
    ("udp-boundaries", untold("server", "'Hello. '"), "4 sends, 4 datagrams, 3 reads"),
    ("udp-addresses", changed(7, patch_udp(0, b"\0\7")), "came from where client:6 says"),
    ("udp-addresses", changed(3, patch_udp(2, b"\0\7")), "no datagram went to where client:2 says"),
    ("udp-addresses", told("client", "4242)) = 20", "4243)) = 20"), "came from where client:7"),
    ("udp-empty", r.without(5), "no empty datagram arrived"),
    ("udp-empty", r.lost(5), "no empty datagram arrived"),
    ("udp-empty", untold("client", "b''"), "no program sent an empty datagram"),
    ("udp-empty", untold("server", "b''"), "no read returned 0"),
    ("udp-empty", untold("server", "That is all"), "nothing was read after server:5"),
    ("udp-unacknowledged", r.repeated(4, delay_ns=1000), "6 sends and 7 frames"),
    ("udp-unacknowledged", r.without(8), "6 sends and 5 frames"),
    ("udp-unacknowledged", foreign(4), "f4 is a frame with no part in it"),
    ("udp-family", other_family, "a socket of another domain"),
    ("udp-family", r.changed(16, lambda d: d[:12] + TAG + d[12:], fix=False), "f16 is no IPv"),
    ("udp-family", foreign(24), "f24 is no IPv"),
    (
        "udp-family",
        r.without(*range(3, 9), 11, 12, *range(15, 19), *range(21, 25)),
        "no frame was seen but",
    ),
    ("udp-truncation", told("short-reader", "MSG_TRUNC", "0"), "MSG_TRUNC does not say"),
    ("udp-truncation", told("short-reader", ", 0) = 7", ", MSG_TRUNC) = 7"), "MSG_TRUNC does not"),
    ("udp-truncation", told("short-reader", "B000B00", "A004A00"), "beginning of no datagram"),
    ("udp-truncation", untold("short-reader", "B000"), "2 datagrams sent, 1 read"),
    ("udp-truncation", changed(11, with_payload(A[:16])), "did not carry what was sent"),
    ("udp-truncation", r.lost(12), "did not carry what was sent"),
    ("udp-truncation", answered(12), "f13 is a frame with no part in it"),
    (
        "udp-truncation",
        r.both(
            changed(11, with_payload(A[:16])),
            told("sender", f"{A!r}", f"{A[:16]!r}"),
            told("short-reader", "MSG_TRUNC", "0"),
        ),
        "no datagram was larger than the reader's buffer",
    ),
    ("udp-checksums", r.changed(4, patch_udp(6, b"\0\1"), fix=False), "f4 has a wrong Udp"),
    ("udp-checksums", r.changed(16, lambda d: d[:-1] + b"?", fix=False), "f17 has a wrong Udp"),
    ("udp-checksums", r.changed(22, patch_udp(2, b"\0\1"), fix=False), "f22 has a wrong Icmp"),
    ("udp-checksums", changed(4, patch_udp(4, b"\0\7")), "f4 is malformed"),
]  # fmt: skip
BROKEN_OVER_IPV4: list[Case] = [
    ("udp-family", of_family_6, "f3 is no IPv6 frame"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("family", "claim", "edit", "why"),
    [*parameters(4, [*BROKEN, *BROKEN_OVER_IPV4]), *parameters(6, BROKEN)],
)
def test_a_claim_is_broken_by_a_run_that_does_otherwise(
    family: int, claim: str, edit: r.Edit, why: str
) -> None:
    verdict = verdict_of(claim, edit(recorded(family)))
    assert (verdict.outcome, why in verdict.why) == (Outcome.BROKEN, True), verdict


def test_every_claim_has_a_run_that_breaks_it() -> None:
    assert {case[0] for case in BROKEN} == OWN


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_holds_for_a_recorded_run(family: int, claim: str) -> None:
    verdict = verdict_of(claim, recorded(family))
    assert verdict.outcome is Outcome.HOLDS, verdict.why
    assert verdict.evidence or claim == "udp-checksums"


@pytest.mark.parametrize("claim", BY_PROGRAMS)
def test_what_only_programs_can_say_is_undecided_where_they_print_nothing(claim: str) -> None:
    verdict = verdict_of(claim, r.silent(recorded(4)))
    assert verdict.outcome is Outcome.UNDECIDED
    assert "printed no" in verdict.why


@pytest.mark.parametrize("claim", sorted(set(CLAIMS) - set(BY_PROGRAMS)))
def test_what_the_wire_shows_holds_without_the_programs(claim: str) -> None:
    assert verdict_of(claim, r.silent(recorded(4))).outcome is Outcome.HOLDS


@pytest.mark.parametrize("claim", CLAIMS)
def test_nothing_is_decided_where_the_kernel_dropped_frames(claim: str) -> None:
    verdict = verdict_of(claim, r.incomplete(recorded(4)))
    assert verdict.outcome is Outcome.UNDECIDED
    assert "the kernel dropped" in verdict.why


@pytest.mark.parametrize(
    "claim", r.told_by_frames_and_words(SCENARIO.claims), ids=lambda claim: claim.id
)
def test_only_claims_on_a_step_whose_canary_is_missing_are_undecided(claim: object) -> None:
    recording = recorded(4)
    last = [canary for canary in recording.canaries if canary.step == "nobody"][-1]
    kept = [f for f in recording.frames if f.data[r.ETHERNET :] != last.payload]
    verdict = verdict_of(claim.id, r.with_frames(recording, kept))  # type: ignore[attr-defined]
    is_incomplete = "nobody" in claim.step_names  # type: ignore[attr-defined]
    assert verdict.outcome is (Outcome.UNDECIDED if is_incomplete else Outcome.HOLDS)


def test_a_call_that_shows_no_address_leaves_addresses_undecided() -> None:
    def change(text: str) -> str:
        return text.replace(", 4096, ('198.51.100.2', 4242)) = 20", ", 4096) = 20")

    verdict = verdict_of("udp-addresses", r.printed("client", change)(recorded(4)))
    assert (verdict.outcome, verdict.why) == (Outcome.UNDECIDED, "client:7 names no address")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("number", [3, 4, 5])
def test_datagrams_in_another_order_break_nothing(family: int, number: int) -> None:
    moved = r.moved(number, after=6)(recorded(family))
    outcomes = {
        claim: verdict_of(claim, moved).outcome
        for claim in ("udp-boundaries", "udp-addresses", "udp-unacknowledged")
    }
    assert set(outcomes.values()) == {Outcome.HOLDS}, outcomes


@st.composite
def disturbed(draw: st.DrawFn) -> Recording:
    """A run without some frames, with other bytes in some, and other words in what was printed."""
    recording = recorded(draw(st.sampled_from(FAMILIES)))
    indexes = st.integers(0, len(recording.frames) - 1)
    gone = draw(st.sets(indexes, max_size=6))
    frames = list(recording.frames)
    for index in draw(st.sets(indexes, max_size=8)):
        at = draw(st.integers(0, len(frames[index].data) - 1) | st.integers(12, 60))
        data = r.patch(at, draw(st.binary(min_size=1, max_size=2)))(frames[index].data)
        keep = draw(st.just(len(data)) | st.integers(0, len(data)))
        frames[index] = replace(frames[index], data=data[:keep])
    kept = [frame for index, frame in enumerate(frames) if index not in gone]
    old = draw(
        st.sampled_from(["(3,", "(4,", "b''", "4242", "198.51.100.2", "AF_INET", " = ", "16"])
    )
    new = draw(st.sampled_from(["(", "([3],", "(x,", "None", "('', 1)", " = -", "0", "recv", ""]))
    programs = [replace(p, stdout=p.stdout.replace(old, new)) for p in recording.programs]
    return replace(recording, frames=tuple(kept), programs=tuple(programs))


@examples(60)
@given(disturbed(), st.sampled_from([80, 120]), st.booleans())
def test_no_disturbance_of_a_run_makes_judging_or_reporting_fail(
    recording: Recording, width: int, ascii_only: bool
) -> None:
    timelines = build_timelines(recording)
    judgements = judge(SCENARIO.claims, timelines)
    document = report_document(timelines, judgements)
    assert write_document(document)
    assert all(0 <= index < len(recording.frames) for index in frame_comments(timelines))
    ladders = [*map(build_ladder, timelines)]
    lines = draw_report(
        timelines, ladders, judgements, About("a summary"), Style(width, ascii_only)
    )
    assert max(len(line.plain) for line in lines) <= width
    known = {named(event["id"]) for event in document["events"]}
    for judgement in judgements:
        assert set(map(str, judgement.verdict.evidence)) <= known
