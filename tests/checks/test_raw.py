from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import recorded as r
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.crossing import Crossing
from lab.analysis.judging import judge, overall
from lab.analysis.packets.packet import IPv4, TcpFlags
from lab.model.claim import Claim, Outcome
from lab.records import Recording
from scenarios.raw import SCENARIO

FAMILIES = [4, 6]
CLAIMS = [claim.id for claim in SCENARIO.claims]
ETHERNET = 14


def is_experiment(crossing: Crossing) -> bool:
    ip = crossing.packet.ip
    protocol = ip.protocol if isinstance(ip, IPv4) else ip.next_header if ip else None
    return protocol == 253


def says(text: bytes) -> Callable[[Crossing], bool]:
    return lambda crossing: text in crossing.packet.frame.data


def has(flags: TcpFlags, sender: str = "", port: int = 0) -> Callable[[Crossing], bool]:
    """TCP segments with all of these flags, and no SYN that is not asked for."""

    def wanted(crossing: Crossing) -> bool:
        tcp = crossing.packet.tcp
        return (
            tcp is not None
            and tcp.flags & flags == flags
            and bool(tcp.flags & TcpFlags.SYN) == bool(flags & TcpFlags.SYN)
            and sender in ("", crossing.sender)
            and port in (0, tcp.source_port, tcp.destination_port)
        )

    return wanted


def replaced(program: str, old: str, new: str) -> r.Edit:
    """A program that printed other words in the place of some."""

    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return r.printed(program, change)


def made_the_reset_itself(recording: Recording) -> Recording:
    """The program says that it sent the RST."""
    ((frame, *_), *_) = s.frames_of(recording, "uninvited", has(RST))
    return r.printed("disowned", lambda text: f"{text}send(3, {frame.data!r}) = 54\n")(recording)


def at_ip(offset: int) -> r.Change:
    """One byte of the IP header one more."""
    at = ETHERNET + offset
    return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def flip_last(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


SYN, ACK, RST, FIN = TcpFlags.SYN, TcpFlags.ACK, TcpFlags.RST, TcpFlags.FIN
SYN_ACK = SYN | ACK
KERNELS, OURS = says(b"The kernel wrote"), says(b"We wrote")
DATA_BY_HAND = says(b"No kernel wrote this")
EPERM = "= -1 EPERM"

BROKEN: list[tuple[str, r.Edit, str]] = [
    ("raw-permission", replaced("ordinary", "IPPROTO_ICMP) = -1 EPERM", "IPPROTO_ICMP) = 3"),
     "IPPROTO_ICMP) gave 3"),
    ("raw-permission", replaced("ordinary", "SOCK_DGRAM, 0) = -1 EPERM",
     "SOCK_DGRAM, 0) = -1 EAFNOSUPPORT"), "gave EAFNOSUPPORT"),
    ("raw-unix", replaced("ordinary", "[SOCK_DGRAM]", "[SOCK_RAW]"), "then getsockopt"),
    ("raw-unix", replaced("ordinary", "socket(AF_UNIX, SOCK_RAW, 0) = 3",
     "socket(AF_UNIX, SOCK_RAW, 0) = -1 ESOCKTNOSUPPORT"), "gave ESOCKTNOSUPPORT"),
    ("raw-header", s.changed("packets", KERNELS, flip_last), "the bytes of packets:3"),
    ("raw-header", s.without("packets", OURS), "1 packet arrived, 2 reads"),
    ("raw-frames", s.changed("packets", KERNELS, r.patch(0, b"\2\2")), "the bytes of frames:3"),
    ("raw-frames", s.without("packets", is_experiment), "0 packets arrived, 2 reads"),
    ("raw-cooked", s.changed("packets", OURS, flip_last), "the bytes of cooked:4"),
    ("raw-cooked", s.changed("packets", OURS, r.patch(6, b"\2\2")), "cooked:4 has the address"),
    ("raw-cooked", replaced("cooked", "('eth0', ", "('eth0', 1"), "cooked:3 has the address"),
    ("raw-hdrincl", s.changed("packets", OURS, flip_last), "differs at bytes"),
    ("raw-hdrincl", s.without("packets", is_experiment), "no packet of the experimental"),
    ("raw-uninvited", s.without("uninvited", has(RST)), "the kernel sent no RST"),
    ("raw-uninvited", s.without("uninvited", has(SYN_ACK, port=4000)), "not answered with a SYN"),
    ("raw-uninvited", s.without("uninvited", has(SYN, port=4000)), "no SYN made by hand"),
    ("raw-uninvited", made_the_reset_itself, "was written by the program"),
    ("raw-uninvited", s.changed("uninvited", has(RST), r.add_to("seq", 1)), "is no answer to"),
    ("raw-uninvited",
     r.printed("first-server", lambda text: text + "accept(3, ('198.51.100.1', 4000)) = 5\n"),
     "accepted it all the same"),
    ("raw-unowned",
     s.with_more("by-hand", has(SYN, "client"), r.set_tcp(flags=r.RST)), "is a RST that"),
    ("raw-unowned", s.with_more("by-hand", DATA_BY_HAND, flip_last), "is a frame that"),
    ("raw-unowned", s.without("by-hand", DATA_BY_HAND), "1 frame written, but not seen"),
    ("raw-unowned", s.without("by-hand", has(SYN_ACK)), "no SYN-ACK came"),
    ("raw-opens", s.without("by-hand", has(SYN_ACK)), "no whole handshake"),
    ("raw-opens", s.changed("by-hand", has(SYN_ACK), r.add_to("ack", 1)), "do not fit"),
    ("raw-bytes", s.without("by-hand", has(ACK)), "b'' on the wire"),
    ("raw-bytes", s.changed("by-hand", DATA_BY_HAND, flip_last), "not every segment"),
    ("raw-bytes", replaced("second-server", "wrote ', 16) = 16", "Wrote ', 16) = 16"),
     "on the wire"),
    ("raw-bytes", replaced("second-server", "b'I read ') = 7", "b'I read ') = 6"),
     "the server sent 42 bytes"),
    ("raw-bytes", s.changed("by-hand", has(SYN, "client"), r.set_tcp(source_port=9)),
     "2 TCP connections"),
    ("raw-closes", s.without("by-hand", has(FIN, "client")), "FIN from one side only"),
    ("raw-checksums", s.changed("by-hand", DATA_BY_HAND, flip_last, fix=False),
     "a wrong Tcp checksum"),
]  # fmt: skip
BROKEN_OVER_IPV4: list[tuple[str, r.Edit, str]] = [
    ("raw-hdrincl", s.changed("packets", OURS, at_ip(8)), "a wrong header checksum"),
]
BROKEN_OVER_IPV6: list[tuple[str, r.Edit, str]] = [
    ("raw-hdrincl", s.changed("packets", OURS, at_ip(7)), "differs at bytes [7]"),
]


def cases(family: int) -> list[object]:
    more = BROKEN_OVER_IPV4 if family == 4 else BROKEN_OVER_IPV6
    return [
        pytest.param(family, *case, id=f"{case[0]}-over-ipv{family}-{number}")
        for number, case in enumerate([*BROKEN, *more])
    ]


def run_of(family: int) -> Recording:
    return s.recording_of(f"raw{family}")


def named(claim: str) -> Claim:
    (found,) = (each for each in SCENARIO.claims if each.id == claim)
    return found


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_holds_for_a_recorded_run(family: int, claim: str) -> None:
    verdict = s.verdict_of(SCENARIO, claim, run_of(family))
    assert verdict.outcome is Outcome.HOLDS, verdict.why


@pytest.mark.parametrize(("family", "claim", "edit", "why"), [*cases(4), *cases(6)])
def test_a_claim_is_broken_by_a_run_that_does_otherwise(
    family: int, claim: str, edit: r.Edit, why: str
) -> None:
    verdict = s.verdict_of(SCENARIO, claim, edit(run_of(family)))
    assert (verdict.outcome, why in verdict.why) == (Outcome.BROKEN, True), verdict


def test_every_claim_has_a_run_that_breaks_it() -> None:
    assert {case[0] for case in BROKEN} == set(CLAIMS)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_is_undecided_where_a_canary_of_its_step_is_missing(
    family: int, claim: str
) -> None:
    incomplete = s.without_a_canary(named(claim).step_names[0])(run_of(family))
    verdict = s.verdict_of(SCENARIO, claim, incomplete)
    assert verdict.outcome is Outcome.UNDECIDED
    assert "incomplete capture" in verdict.why


@pytest.mark.parametrize("claim", ["raw-unowned", "raw-uninvited"])
def test_what_left_a_host_is_undecided_where_frames_were_dropped(claim: str) -> None:
    verdict = s.verdict_of(SCENARIO, claim, s.with_drops(run_of(4)))
    assert verdict.outcome is Outcome.UNDECIDED


@pytest.mark.parametrize(
    "claim", [c for c in CLAIMS if c not in ("raw-opens", "raw-closes", "raw-checksums")]
)
def test_what_only_programs_can_say_is_undecided_where_they_print_nothing(claim: str) -> None:
    verdict = s.verdict_of(SCENARIO, claim, r.silent(run_of(4)))
    assert verdict.outcome is Outcome.UNDECIDED
    assert "printed no" in verdict.why


def test_the_permission_of_all_domains_has_to_be_shown() -> None:
    few = replaced("ordinary", "AF_PACKET", "AF_OTHER")(run_of(4))
    verdict = s.verdict_of(SCENARIO, "raw-permission", few)
    assert (verdict.outcome, "AF_PACKET" in verdict.why) == (Outcome.UNDECIDED, True)


def test_a_kernel_without_the_option_has_its_header_claim_skipped() -> None:
    refused = replaced("sender", "HDRINCL, 1) = 0", "HDRINCL, 1) = -1 ENOPROTOOPT")(run_of(6))
    verdict = s.verdict_of(SCENARIO, "raw-hdrincl", refused)
    assert verdict.outcome is Outcome.SKIPPED
    assert "ENOPROTOOPT" in verdict.why


def test_a_packet_that_was_lost_need_not_have_been_read() -> None:
    recording = run_of(4)
    ((_, arrival),) = s.frames_of(recording, "packets", OURS)
    lost = r.with_frames(recording, [f for f in recording.frames if f != arrival])
    read_less = r.printed("packets", lambda text: text.partition('recvfrom(3, b"E(')[0])(lost)
    assert s.verdict_of(SCENARIO, "raw-header", read_less).outcome is Outcome.HOLDS


def test_a_segment_of_the_server_sent_again_breaks_nothing() -> None:
    recording = run_of(4)
    again = s.with_more("by-hand", says(b"I read "), lambda data: data)(recording)
    assert len(again.frames) == len(recording.frames) + 2
    outcomes = {c: s.verdict_of(SCENARIO, c, again).outcome for c in CLAIMS}
    assert set(outcomes.values()) == {Outcome.HOLDS}, outcomes


def test_calls_of_any_form_make_no_check_fail() -> None:
    odd = (
        "socket([1], {}) = 3\nsocket() = 4\nsetsockopt([0]) = 0\nrecvfrom([]) = 0\n"
        "send(3) = 1\naccept(3, ()) = 4\ngetsockopt(1, [2], {3}, (4,)) = 0\n"
    )
    recording = run_of(4)
    programs = tuple(replace(run, stdout=odd) for run in recording.programs)
    strange = replace(recording, programs=programs)
    for claim in CLAIMS:
        assert s.verdict_of(SCENARIO, claim, strange).outcome is not None


@pytest.mark.parametrize("family", FAMILIES)
def test_a_whole_run_holds_and_its_evidence_is_there(family: int) -> None:
    timelines = build_timelines(run_of(family))
    judgements = judge(SCENARIO.claims, timelines)
    assert overall(judgements) is Outcome.HOLDS
    known = {crossing.id for each in timelines for crossing in each.crossings}
    known |= {c.id for each in timelines for calls in each.calls.values() for c in calls}
    assert all(set(judgement.verdict.evidence) <= known for judgement in judgements)
