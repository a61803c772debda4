"""Crossings of both recordings, by number, two that find the neighbour before each step's others:

3 to 6 the client's datagrams, 5 the empty one, 7 and 8 the replies; 11 the one that is too large
for its reader, 12 the next; 15 to 17 the fragments of one, 18 the next; 21 and 23 to nobody, of the
unconnected and of the connected socket, 22 and 24 the errors about them.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from functools import cache
from ipaddress import ip_address

import pytest
import recorded as r
from frame_bytes import internet_checksum, pseudo_header
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.analysis.assembly import build_timelines
from lab.analysis.judging import judge
from lab.ladder.build import build_ladder
from lab.model.claim import Outcome, Verdict
from lab.model.family import Family
from lab.recording.storage import load_recording
from lab.records import Recording
from lab.report.capture.comments import frame_comments
from lab.report.document.report import report_document, write_document
from lab.report.terminal.page import draw_report
from lab.report.terminal.style import Style
from scenarios.udp import SCENARIO

CLAIMS = [claim.id for claim in r.told_by_frames_and_words(SCENARIO.claims)]
FAMILIES = [4, 6]
BY_PROGRAMS = [
    "udp-boundaries", "udp-addresses", "udp-empty", "udp-unacknowledged", "udp-family",
    "udp-truncation", "udp-reassembly", "udp-refused",
]  # fmt: skip
TAG = bytes.fromhex("8100 0001")
A = b"A000A001A002A003A004A005A006A007A008A009"


@cache
def recorded(family: int) -> Recording:
    return load_recording(r.FOLDER / f"udp{family}")


def verdict_of(claim: str, recording: Recording) -> Verdict:
    claims = [each for each in SCENARIO.claims if each.id == claim]
    (judgement,) = judge(claims, build_timelines(recording))
    return judgement.verdict


def udp_at(data: bytes) -> int:
    return r.ETHERNET + (20 if data[r.ETHERNET] >> 4 == 4 else 40)


def refit(data: bytes) -> bytes:
    """A frame of UDP or ICMP whose IPv4 header's and own checksum are right."""
    ip, at = data[r.ETHERNET :], udp_at(data)
    version, protocol = (4, ip[9]) if ip[0] >> 4 == 4 else (6, ip[6])
    if version == 4:
        header = internet_checksum(ip[:10] + b"\0\0" + ip[12:20])
        data = r.patch(r.ETHERNET + 10, struct.pack("!H", header))(data)
    size = 4 if version == 4 else 16
    source, destination = (ip[at - r.ETHERNET - n * size :][:size] for n in (2, 1))
    place = at + {17: 6, 1: 2, 58: 2}[protocol]
    own = data[at:place] + b"\0\0" + data[place + 2 :]
    pseudo = pseudo_header(ip_address(source), ip_address(destination), protocol, len(own))
    total = internet_checksum((b"" if protocol == 1 else pseudo) + own)
    return r.patch(place, struct.pack("!H", total))(data)


def resized(data: bytes) -> bytes:
    """The frame with its IP header's length as long as it is."""
    if data[r.ETHERNET] >> 4 == 4:
        return r.patch(r.ETHERNET + 2, struct.pack("!H", len(data) - r.ETHERNET))(data)
    return r.patch(r.ETHERNET + 4, struct.pack("!H", len(data) - r.ETHERNET - 40))(data)


def changed(number: int, change: r.Change) -> r.Edit:
    """A datagram or error with other bytes, its checksums right again."""
    return r.changed(number, lambda data: refit(change(data)), fix=False)


def with_payload(payload: bytes) -> r.Change:
    def change(data: bytes) -> bytes:
        at = udp_at(data)
        length = struct.pack("!H", 8 + len(payload))
        return resized(data[: at + 4] + length + data[at + 6 : at + 8] + payload)

    return change


def patch_udp(offset: int, new: bytes) -> r.Change:
    return lambda data: r.patch(udp_at(data) + offset, new)(data)


def patch_quoted_udp(offset: int, new: bytes) -> r.Change:
    """Other bytes in the UDP header that an ICMP error quotes."""
    ip_bytes = {4: 20, 6: 40}
    return lambda data: r.patch(udp_at(data) + 8 + ip_bytes[data[r.ETHERNET] >> 4] + offset, new)(
        data
    )


def other_code(data: bytes) -> bytes:
    return patch_udp(1, b"\1" if data[r.ETHERNET] >> 4 == 4 else b"\3")(data)


def place_in_fragment(data: bytes) -> tuple[int, int]:
    """Where identification, and offset with its flags, stand."""
    if data[r.ETHERNET] >> 4 == 4:
        return r.ETHERNET + 4, r.ETHERNET + 6
    return udp_at(data) + 4, udp_at(data) + 2


def refragmented(number: int, identification: bytes = b"", flags: bytes = b"") -> r.Edit:
    """A fragment of another datagram, or with another place."""

    def change(data: bytes) -> bytes:
        id_at, flags_at = place_in_fragment(data)
        data = r.patch(id_at, identification)(data)
        data = r.patch(flags_at, flags)(data)
        if data[r.ETHERNET] >> 4 == 4:
            header = data[r.ETHERNET : r.ETHERNET + 20]
            total = internet_checksum(header[:10] + b"\0\0" + header[12:])
            data = r.patch(r.ETHERNET + 10, struct.pack("!H", total))(data)
        return data

    return r.changed(number, change, fix=False)


def grown(number: int, amount: int) -> r.Edit:
    """A fragment with so many bytes more."""

    def change(data: bytes) -> bytes:
        data = resized(data + bytes(amount))
        if data[r.ETHERNET] >> 4 == 4:
            header = data[r.ETHERNET : r.ETHERNET + 20]
            total = internet_checksum(header[:10] + b"\0\0" + header[12:])
            data = r.patch(r.ETHERNET + 10, struct.pack("!H", total))(data)
        return data

    return r.changed(number, change, fix=False)


def foreign(number: int) -> r.Edit:
    """A frame of no protocol that the lab knows in the place of a crossing."""
    return r.changed(number, lambda data: data[:12] + b"\x88\xb5" + data[14:], fix=False)


def told(program: str, old: str, new: str) -> r.Edit:
    """A program that printed one thing instead of another, which it did print."""

    def change(text: str) -> str:
        assert old in text, text
        return text.replace(old, new)

    return r.printed(program, change)


def untold(program: str, word: str) -> r.Edit:
    """A program that did not print the lines with that word."""

    def change(text: str) -> str:
        assert word in text, text
        return "".join(line for line in text.splitlines(True) if word not in line)

    return r.printed(program, change)


def other_family(recording: Recording) -> Recording:
    other = Family.IPV6 if recording.family is Family.IPV4 else Family.IPV4
    return replace(recording, family=other)


def of_family_6(recording: Recording) -> Recording:
    programs = [
        replace(p, stdout=p.stdout.replace("AF_INET,", "AF_INET6,")) for p in recording.programs
    ]
    return replace(recording, programs=tuple(programs), family=Family.IPV6)


def answered(number: int) -> r.Edit:
    """A datagram back, just as a crossing of the client's comes."""

    def edit(recording: Recording) -> Recording:
        reply = r.sightings(recording, 7)
        at = r.sightings(recording, number)[1].time_ns
        first = reply[0].time_ns
        again = [replace(f, time_ns=at + 1 + f.time_ns - first) for f in reply]
        return r.with_frames(recording, [*recording.frames, *again])

    return edit


BROKEN = [
    ("udp-neighbour", r.without(1), "nobody asked who has"),
    ("udp-neighbour", r.moved(2, after=3), "nobody told who has"),
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
    ("udp-truncation", told("short-reader", "MSG_TRUNC", "0"), "MSG_TRUNC does not tell"),
    ("udp-truncation", told("short-reader", ", 0) = 7", ", MSG_TRUNC) = 7"), "MSG_TRUNC does not"),
    ("udp-truncation", told("short-reader", "B000B00", "A004A00"), "beginning of no datagram"),
    ("udp-truncation", untold("short-reader", "B000"), "2 datagrams sent, 1 reads"),
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
    ("udp-fragments", r.without(15, 16, 17), "no fragment was seen"),
    ("udp-fragments", r.without(15), "they do not fit each other"),
    ("udp-fragments", r.without(16), "they do not fit each other"),
    ("udp-fragments", r.without(17), "more is not set in all but the last"),
    ("udp-fragments", r.lost(16), "f16 never arrived"),
    ("udp-fragments", r.lost(17), "f17 never arrived"),
    ("udp-fragments", refragmented(16, identification=b"??"), "not of one datagram"),
    ("udp-fragments", grown(15, 8), "over the MTU of 1500"),
    ("udp-fragments", foreign(18), "f18 is a frame with no part in it"),
    ("udp-fragments", answered(18), "f19 is a frame with no part in it"),
    ("udp-reassembly", r.without(15, 16, 17), "nothing crossed in fragments"),
    ("udp-reassembly", r.without(16), "what was sent, made whole and read differs"),
    ("udp-reassembly", r.lost(17), "what was sent, made whole and read differs"),
    ("udp-reassembly", told("reader", "A999'", "A998'"), "made whole and read differs"),
    ("udp-reassembly", untold("reader", "B000"), "made whole and read differs"),
    ("udp-unreachable", r.without(*range(21, 25)), "no datagram was seen"),
    ("udp-unreachable", r.without(22), "came back that quotes f21"),
    ("udp-unreachable", r.lost(24), "came back that quotes f23"),
    ("udp-unreachable", r.moved(21, after=22), "came back that quotes f22"),
    ("udp-unreachable", changed(22, other_code), "came back that quotes f21"),
    ("udp-unreachable", changed(24, patch_quoted_udp(0, b"\0\7")), "came back that quotes f23"),
    ("udp-unreachable", changed(24, patch_quoted_udp(9, b"?")), "came back that quotes f23"),
    ("udp-unreachable", r.repeated(22, delay_ns=1000), "is a frame with no part in it"),
    ("udp-unreachable", answered(24), "came back that quotes f25"),
    ("udp-refused", told("asker", "ECONNREFUSED", "EAGAIN"), "no call on the connected socket"),
    ("udp-refused", told("asker", "[0]", "[111]"), "the unconnected socket was told, by asker:7"),
    (
        "udp-refused",
        told("asker", "recv(3, b'', 4096, MSG_DONTWAIT) = -1 EAGAIN", "recv(3, b'', 4096, 0) = 0"),
        "the unconnected socket was told, by asker:8",
    ),
    ("udp-refused", r.without(22), "not every datagram brought a port unreachable back"),
    ("udp-checksums", r.changed(4, patch_udp(6, b"\0\1"), fix=False), "f4 has a wrong Udp"),
    ("udp-checksums", r.changed(16, lambda d: d[:-1] + b"?", fix=False), "f17 has a wrong Udp"),
    ("udp-checksums", r.changed(22, patch_udp(2, b"\0\1"), fix=False), "f22 has a wrong Icmp"),
    ("udp-checksums", changed(4, patch_udp(4, b"\0\7")), "f4 is malformed"),
]  # fmt: skip
BROKEN_OVER_IPV4 = [
    ("udp-family", of_family_6, "f3 is no IPv6 frame"),
    ("udp-fragments", refragmented(17, flags=b"\x21\x72"), "more is not set in all but the last"),
    ("udp-fragments", refragmented(15, flags=b"\x00\x00"), "they do not fit each other"),
    ("udp-fragments", r.changed(15, patch_udp(4, b"\0\7"), fix=False), "not make up one UDP"),
    ("udp-fragments", r.changed(15, patch_udp(4, b"\x0f\0"), fix=False), "UDP says 3840 bytes"),
    ("udp-fragments", refragmented(16, flags=b"\x20\xb8"), "they do not fit each other"),
]
BROKEN_OVER_IPV6 = [
    ("udp-fragments", refragmented(16, flags=b"\x05\xa1"), "they do not fit each other"),
    ("udp-fragments", refragmented(17, flags=b"\x0b\x51"), "more is not set in all but the last"),
]


def cases(family: int) -> list[object]:
    more = BROKEN_OVER_IPV4 if family == 4 else BROKEN_OVER_IPV6
    return [
        pytest.param(family, *case, id=f"{case[0]}-over-ipv{family}-{number}")
        for number, case in enumerate([*BROKEN, *more])
    ]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_holds_for_a_recorded_run(family: int, claim: str) -> None:
    verdict = verdict_of(claim, recorded(family))
    assert verdict.outcome is Outcome.HOLDS, verdict.why
    assert verdict.evidence or claim == "udp-checksums"


@pytest.mark.parametrize(("family", "claim", "edit", "why"), [*cases(4), *cases(6)])
def test_a_claim_is_broken_by_a_run_that_does_otherwise(
    family: int, claim: str, edit: r.Edit, why: str
) -> None:
    verdict = verdict_of(claim, edit(recorded(family)))
    is_said = any(part in verdict.why for part in why.split("|"))
    assert (verdict.outcome, is_said) == (Outcome.BROKEN, True), verdict


def test_every_claim_has_a_run_that_breaks_it() -> None:
    assert {case[0] for case in BROKEN} == set(CLAIMS)


@pytest.mark.parametrize("claim", BY_PROGRAMS)
def test_what_only_programs_can_tell_is_undecided_where_they_print_nothing(claim: str) -> None:
    verdict = verdict_of(claim, r.silent(recorded(4)))
    assert verdict.outcome is Outcome.UNDECIDED
    assert "printed no" in verdict.why


@pytest.mark.parametrize("claim", sorted(set(CLAIMS) - set(BY_PROGRAMS)))
def test_what_the_wire_tells_holds_without_the_programs(claim: str) -> None:
    assert verdict_of(claim, r.silent(recorded(4))).outcome is Outcome.HOLDS


@pytest.mark.parametrize("claim", CLAIMS)
def test_nothing_is_decided_where_the_kernel_dropped_frames(claim: str) -> None:
    verdict = verdict_of(claim, r.blind(recorded(4)))
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
    is_blind = "nobody" in claim.step_names  # type: ignore[attr-defined]
    assert verdict.outcome is (Outcome.UNDECIDED if is_blind else Outcome.HOLDS)


def asks_first(text: str) -> str:
    """The asker's lines with the question for the error before the connected socket's read."""
    lines = text.splitlines(keepends=True)
    asking = [line for line in lines if "SO_ERROR" in line]
    return "".join(asking + [line for line in lines if line not in asking])


@pytest.mark.parametrize(
    "edit",
    [
        r.moved(22, after=24),
        r.printed("asker", asks_first),
        r.both(untold("asker", "SO_ERROR"), untold("asker", "EAGAIN")),
    ],
    ids=["its error came late", "asked before", "not asked"],
)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_socket_not_asked_once_its_error_was_there_proves_nothing(
    family: int, edit: r.Edit
) -> None:
    verdict = verdict_of("udp-refused", edit(recorded(family)))
    assert verdict.outcome is Outcome.UNDECIDED, verdict
    assert "not asked once its error was there" in verdict.why


def test_a_call_that_tells_no_address_leaves_addresses_undecided() -> None:
    def change(text: str) -> str:
        return text.replace(", 4096, ('198.51.100.2', 4242)) = 20", ", 4096) = 20")

    verdict = verdict_of("udp-addresses", r.printed("client", change)(recorded(4)))
    assert (verdict.outcome, verdict.why) == (Outcome.UNDECIDED, "client:7 tells no address")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("number", [3, 4, 5])
def test_datagrams_in_another_order_break_nothing(family: int, number: int) -> None:
    moved = r.moved(number, after=6)(recorded(family))
    outcomes = {
        claim: verdict_of(claim, moved).outcome
        for claim in ("udp-boundaries", "udp-addresses", "udp-unacknowledged")
    }
    assert set(outcomes.values()) == {Outcome.HOLDS}, outcomes


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("claim", ["udp-fragments", "udp-reassembly", "udp-checksums"])
def test_fragments_in_another_order_break_nothing(family: int, claim: str) -> None:
    verdict = verdict_of(claim, r.moved(15, after=17)(recorded(family)))
    assert verdict.outcome is Outcome.HOLDS, verdict.why


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


@settings(max_examples=60, deadline=None)
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
    lines = draw_report(timelines, ladders, judgements, "a summary", Style(width, ascii_only))
    assert max(len(line.plain) for line in lines) <= width
    known = {event["id"] for event in document["events"]}
    for judgement in judgements:
        assert set(map(str, judgement.verdict.evidence)) <= known
