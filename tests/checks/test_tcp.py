from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
from event_ids import event, named
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.judging import overall
from lab.checks.link import has_right_checksums
from lab.ladder.build import build_ladder
from lab.model.claim import Outcome
from lab.model.family import Family
from lab.records import Recording
from lab.report.capture.comments import frame_comments
from lab.report.document.report import report_document
from lab.report.document.writing import write_document
from lab.report.terminal.drawing.style import Style
from lab.report.terminal.page import About, draw_report
from scenarios.tcp import SCENARIO

CLAIMS = [claim.id for claim in r.CLAIMS]
FAMILIES = [4, 6]
NOTHING_BUT_NEIGHBOUR = r.without(*range(3, 21))
SECOND_PORT = r.changed(8, r.set_tcp(source_port=9))
SACK = b"\1\1\5\12" + bytes(8)
WINDOW_SCALE = b"\1\3\3\7"
TAG = bytes.fromhex("8100 0001")


def read_as_sent(recording: Recording) -> Recording:
    """Every recv returns just what one send sent."""
    client = "".join(
        f"recv(3, {data!r}, 4096) = {len(data)}\n"
        for data in (b"I read ", b"what you wrote, ", b"not how you cut it.\n")
    )
    server = "".join(
        f"recv(4, {data!r}, 16) = {len(data)}\n"
        for data in (b"Hello. ", b"These are three messages, ", b"or so I think.\n")
    )

    def without_reads(text: str) -> str:
        kept = [line for line in text.splitlines() if not line.startswith("recv")]
        return "\n".join(kept) + "\n"

    return r.both(
        r.printed("client", lambda text: without_reads(text) + client),
        r.printed("server", lambda text: without_reads(text) + server),
    )(recording)


def printed_of_family_6(recording: Recording) -> Recording:
    edits = (
        r.printed(name, lambda text: text.replace("AF_INET,", "AF_INET6,"))
        for name in ("client", "server")
    )
    return r.both(*edits, lambda rec: replace(rec, family=Family.IPV6))(recording)


def short_read(text: str) -> str:
    return text.replace("b' or so I think.\\n', 16) = 16", "b' or so I think.', 16) = 15")


BROKEN = [
    ("tcp-neighbour", r.without(1), "nobody asked who has"),
    ("tcp-neighbour", r.without(2), "nobody answered who has"),
    ("tcp-neighbour", r.moved(1, after=2), "nobody answered who has"),
    ("tcp-neighbour", r.moved(2, after=3), "nobody answered who has"),
    ("tcp-neighbour", r.changed(3, r.patch(0, b"\2\0\0\0\0\7")), "does not go to 02:00:00:00:02"),
    ("tcp-neighbour", NOTHING_BUT_NEIGHBOUR, "no TCP segment"),
    ("tcp-opens", r.without(3), "no whole handshake"),
    ("tcp-opens", r.without(4), "no whole handshake"),
    ("tcp-opens", r.lost(4), "no whole handshake"),
    ("tcp-opens", r.changed(4, r.add_to("ack", 1)), "the numbers do not fit"),
    ("tcp-opens", r.changed(5, r.add_to("seq", 1)), "the numbers do not fit"),
    ("tcp-opens", r.changed(3, r.set_tcp(flags=r.SYN | r.FIN)), "the numbers do not fit"),
    (
        "tcp-opens",
        r.both(r.without(*range(5, 21)), r.changed(4, r.set_tcp(flags=r.RST | r.ACK))),
        "no whole handshake",
    ),
    ("tcp-opens", SECOND_PORT, "2 TCP connections"),
    ("tcp-opens", NOTHING_BUT_NEIGHBOUR, "0 TCP connections"),
    ("tcp-options", r.without(3), "not both SYNs"),
    ("tcp-options", r.changed(6, r.drop_option(8)), "f6 has timestamps are not as agreed"),
    ("tcp-options", r.changed(4, r.drop_option(8)), "f5 has timestamps are not as agreed"),
    (
        "tcp-options",
        r.both(r.changed(3, r.drop_option(4)), r.changed(7, r.add_options(SACK))),
        "f7 has a SACK that was not agreed",
    ),
    ("tcp-options", r.changed(6, r.add_options(WINDOW_SCALE)), "f6 has a window scale outside"),
    ("tcp-options", r.changed(6, r.set_payload(bytes(1449))), "f6 has 1449 bytes of payload, over"),
    ("tcp-no-early-payload", r.changed(3, r.set_payload(b"early")), "f3 carries payload before"),
    ("tcp-no-early-payload", r.changed(4, r.set_payload(b"early")), "f4 carries payload before"),
    ("tcp-no-early-payload", r.without(*r.DATA), "no payload travelled at all"),
    ("tcp-no-early-payload", r.without(4), "not seen to open"),
    ("tcp-family", lambda rec: replace(rec, family=other(rec)), "a socket of another domain"),
    ("tcp-family", r.changed(8, lambda d: d[:12] + TAG + d[12:], fix=False), "f8 is no IPv"),
    ("tcp-bytes", r.printed("server", short_read), "48 bytes sent, 48 on the wire, 47 read"),
    ("tcp-bytes", r.changed(6, r.set_payload(b"Jello. ")), "they differ"),
    ("tcp-bytes", r.changed(6, r.set_payload(b"Hello.")), "48 bytes sent, 6 on the wire"),
    ("tcp-bytes", r.without(8), "48 bytes sent, 7 on the wire, 48 read"),
    ("tcp-bytes", r.lost(15), "43 bytes sent, 7 on the wire, 43 read"),
    (
        "tcp-bytes",
        r.printed("client", lambda text: text.replace("messages, ') = 26", "messages, ') = 25")),
        "47 bytes sent",
    ),
    ("tcp-boundaries", read_as_sent, "every read returned just one send"),
    ("tcp-boundaries", r.printed("server", short_read), "48 bytes sent, 47 read"),
    ("tcp-acknowledged", r.without(20), "the server's bytes end at 45, acknowledged up to 44"),
    ("tcp-acknowledged", r.lost(20), "the server's bytes end at 45, acknowledged up to 44"),
    (
        "tcp-acknowledged",
        r.changed(20, r.add_to("ack", -20)),
        "the server's bytes end at 45, acknowledged up to 44",
    ),
    ("tcp-acknowledged", r.without(4, *range(7, 21), 5, 6), "one side never acknowledged"),
    ("tcp-closes", r.without(19, 20), "FIN from one side only"),
    ("tcp-closes", r.without(12, *range(13, 21)), "not closed"),
    ("tcp-closes", r.without(20), "the server's FIN was not acknowledged"),
    ("tcp-closes", r.lost(20), "the server's FIN was not acknowledged"),
    (
        "tcp-closes",
        r.both(r.without(20), r.changed(19, r.set_tcp(flags=r.RST | r.ACK))),
        "the connection ended otherwise: RST",
    ),
    ("tcp-checksums", r.changed(6, r.set_tcp(checksum=1), fix=False), "f6 has a wrong Tcp"),
    ("tcp-checksums", r.changed(6, r.set_tcp(data_offset=4)), "f6 is malformed"),
    ("tcp-checksums", r.without(*range(2, 21)), "no frame has a checksum"),
]  # fmt: skip
BROKEN_OVER_IPV4 = [
    ("tcp-neighbour", r.changed(2, r.patch(27, b"\7")), "does not go to 02:00:00:00:02:07"),
    ("tcp-family", printed_of_family_6, "f3 is no IPv6 frame"),
    ("tcp-checksums", r.changed(6, r.patch(22, b"\7"), fix=False), "f6 has a wrong IPv4 checksum"),
]
BROKEN_OVER_IPV6 = [
    ("tcp-checksums", r.changed(1, r.patch(56, b"\7\7")), "f1 has a wrong Icmp checksum"),
]


def other(recording: Recording) -> Family:
    return Family.IPV6 if recording.family is Family.IPV4 else Family.IPV4


def cases(family: int) -> list[object]:
    more = BROKEN_OVER_IPV4 if family == 4 else BROKEN_OVER_IPV6
    # Over IPv6 the neighbour's frames have checksums of their own.
    usual = [c for c in BROKEN if family == 4 or c[2] != "no frame has a checksum"]
    return [
        pytest.param(family, *case, id=f"{case[0]}-over-ipv{family}-{number}")
        for number, case in enumerate([*usual, *more])
    ]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_holds_for_a_recorded_run(family: int, claim: str) -> None:
    verdict = r.verdict_of(claim, r.recorded(family))
    assert verdict.outcome is Outcome.HOLDS
    assert verdict.evidence or claim == "tcp-checksums"


@pytest.mark.parametrize(("family", "claim", "edit", "why"), [*cases(4), *cases(6)])
def test_a_claim_is_broken_by_a_run_that_does_otherwise(
    family: int, claim: str, edit: r.Edit, why: str
) -> None:
    verdict = r.verdict_of(claim, edit(r.recorded(family)))
    assert (verdict.outcome, why in verdict.why) == (Outcome.BROKEN, True), verdict.why


def test_every_claim_has_a_run_that_breaks_it() -> None:
    for more in (BROKEN_OVER_IPV4, BROKEN_OVER_IPV6):
        assert {case[0] for case in [*BROKEN, *more]} == set(CLAIMS)


@pytest.mark.parametrize("claim", ["tcp-family", "tcp-bytes", "tcp-boundaries"])
def test_what_only_programs_can_say_is_undecided_where_they_print_nothing(claim: str) -> None:
    verdict = r.verdict_of(claim, r.silent(r.recorded(4)))
    assert verdict.outcome is Outcome.UNDECIDED
    assert "printed no" in verdict.why


def test_a_checksum_over_bytes_that_were_not_captured_is_undecided() -> None:
    recording = r.recorded(4)
    cut = [
        replace(f, data=f.data[:-1]) if f in r.sightings(recording, 6) else f
        for f in recording.frames
    ]
    (timeline,), _ = r.judged(r.with_frames(recording, cut))
    verdict = has_right_checksums(timeline)
    assert verdict.outcome is Outcome.UNDECIDED
    assert verdict.why == "f6: its Tcp checksum cannot be computed"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("number", [5, *r.ACKS[:-1]])
def test_one_acknowledgement_lost_before_the_last_breaks_nothing(family: int, number: int) -> None:
    _, judgements = r.judged(r.lost(number)(r.recorded(family)))
    assert overall(judgements) is Outcome.HOLDS


@pytest.mark.parametrize("family", FAMILIES)
def test_a_segment_lost_and_sent_again_breaks_nothing(family: int) -> None:
    recording = r.recorded(family)
    arrival = r.sightings(recording, 8)[1]
    again = r.repeated(8, delay_ns=500)(recording)
    first_lost = [frame for frame in again.frames if frame != arrival]
    (timeline,), judgements = r.judged(r.with_frames(again, first_lost))
    assert [c.number for c in timeline.crossings if c.lost or not c.sent_ns] != []
    assert overall(judgements) is Outcome.HOLDS


def test_a_family_of_no_frame_is_refuted_by_the_first_frame_of_another() -> None:
    verdict = r.verdict_of("tcp-family", printed_of_family_6(r.recorded(4)))
    assert verdict.evidence == (event("f3"),)


@st.composite
def disturbed(draw: st.DrawFn) -> Recording:
    """Some of a run's frames, some of them twice, in any order, some with other bytes."""
    recording = r.recorded(draw(st.sampled_from(FAMILIES)))
    frames = draw(st.lists(st.sampled_from(recording.frames), max_size=64))
    if draw(st.booleans()):
        gone = draw(st.sets(st.integers(0, len(recording.frames) - 1), max_size=6))
        frames = [f for index, f in enumerate(recording.frames) if index not in gone]
    for index in draw(st.sets(st.integers(0, 63), max_size=6)):
        if index < len(frames):
            at = draw(st.integers(0, len(frames[index].data) - 1))
            data = r.patch(at, draw(st.binary(min_size=1, max_size=2)))(frames[index].data)
            keep = draw(st.integers(0, len(data)) | st.just(len(data)))
            frames[index] = replace(frames[index], data=data[:keep])
    return replace(recording, frames=tuple(frames))


@examples(80)
@given(disturbed(), st.sampled_from([80, 100, 120]), st.booleans())
def test_no_disturbance_of_a_run_makes_judging_or_reporting_fail(
    recording: Recording, width: int, ascii_only: bool
) -> None:
    (timeline,), judgements = r.judged(recording)
    assert len(judgements) == len(SCENARIO.claims)
    document = report_document([timeline], judgements)
    assert write_document(document)
    assert all(0 <= index < len(recording.frames) for index in frame_comments([timeline]))
    style = Style(width, ascii_only)
    lines = [
        line.plain
        for line in draw_report(
            [timeline], list(map(build_ladder, [timeline])), judgements, About("a summary"), style
        )
    ]
    assert max(map(len, lines)) <= width
    known = {named(event["id"]) for event in document["events"]}
    for judgement in judgements:
        assert set(map(str, judgement.verdict.evidence)) <= known


def many_sends(text: str) -> str:
    """Ten sends where there was one of 26 bytes."""
    line = next(each for each in text.splitlines() if "These are three" in each)
    data = b"These are three messages, "
    pieces = [data[:8], *(data[8 + 2 * n : 10 + 2 * n] for n in range(9))]
    return text.replace(line, "\n".join(f"send(3, {piece!r}) = {len(piece)}" for piece in pieces))


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (
            lambda recording: recording,
            "client to server: 48 bytes, sent as 7 + 26 + 15, in 3 segments, read as 16 + 16 + 16; "
            "server to client: 43 bytes, sent as 7 + 16 + 20, in 3 segments, read as 43",
        ),
        (
            r.printed("client", many_sends),
            "client to server: 48 bytes, sent as 7 + 8 + 2 + 2 + 2 + 2 + 2 + 2 + ... (4 more), in "
            "3 segments, read as 16 + 16 + 16; server to client: 43 bytes, sent as 7 + 16 + 20, in "
            "3 segments, read as 43",
        ),
    ],
)
def test_the_pieces_of_a_stream_are_named(edit: r.Edit, why: str) -> None:
    verdict = r.verdict_of("tcp-boundaries", edit(r.recorded(4)))
    assert (verdict.outcome, verdict.why) == (Outcome.HOLDS, why)
