from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
import recorded as r
import step_edits as s
from event_ids import event
from frame_bytes import V4_A, V4_B, V6_A, V6_B, ethernet, ipv4, ipv6

from lab.analysis.flows.crossing import Crossing
from lab.analysis.packets.packet import TcpFlags
from lab.checks.types import whole_messages
from lab.model.claim import Claim, Outcome, Verdict
from lab.model.event import EventKind
from lab.records import Direction, Frame, Recording
from scenarios.types import SCENARIO

FAMILIES = [4, 6]
CLAIMS = [claim.id for claim in SCENARIO.claims]
MPTCP = 30


def replaced(program: str, old: str, new: str) -> r.Edit:
    """A program that printed other words in the place of some."""

    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return r.printed(program, change)


def granted(domain: str, protocol: str) -> r.Edit:
    """A table in which SOCK_SEQPACKET is granted with SCTP asked for."""
    call = f"socket({domain}, SOCK_SEQPACKET, IPPROTO_SCTP) = "
    answer = (
        f"{call}3\ngetsockopt(3, SOL_SOCKET, SO_DOMAIN, [{domain}]) = 0\n"
        "getsockopt(3, SOL_SOCKET, SO_TYPE, [SOCK_SEQPACKET]) = 0\n"
        f"getsockopt(3, SOL_SOCKET, SO_PROTOCOL, [{protocol}]) = 0"
    )
    return replaced("table", f"{call}-1 ESOCKTNOSUPPORT", answer)


def early(line: str, new: str) -> r.Edit:
    return replaced("early", line, new)


def is_tcp(crossing: Crossing) -> bool:
    return crossing.packet.tcp is not None


def has_syn(crossing: Crossing) -> bool:
    tcp = crossing.packet.tcp
    return tcp is not None and TcpFlags.SYN in tcp.flags


def says(text: bytes) -> Callable[[Crossing], bool]:
    return lambda crossing: text in crossing.packet.frame.data


def is_syn_ack(crossing: Crossing) -> bool:
    tcp = crossing.packet.tcp
    return has_syn(crossing) and tcp is not None and TcpFlags.ACK in tcp.flags


def tagged(data: bytes) -> bytes:
    """The frame with an 802.1Q tag."""
    return data[:12] + bytes.fromhex("8100 0001") + data[12:]


MESSAGES = [b"Hello. ", b"These are three messages, and the last ends them.\n", b"End.\n"]
REPLY = b"Each as you cut it.\n"
CLIENT_PRINTS = (
    "socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP) = 3\n"
    + "".join(f"sendto(3, {m!r}, ('192.0.2.2', 4242)) = {len(m)}\n" for m in MESSAGES)
    + f"recvfrom(3, {REPLY!r}, 4096, ('192.0.2.2', 4242)) = {len(REPLY)}\n"
)
SERVER_PRINTS = (
    "socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP) = 3\n"
    + "".join(f"recvfrom(3, {m!r}, 4096, ('192.0.2.1', 9)) = {len(m)}\n" for m in MESSAGES)
    + f"sendto(3, {REPLY!r}, ('192.0.2.1', 9)) = {len(REPLY)}\n"
)


def data_chunk(number: int, message: bytes, flags: int = 3) -> bytes:
    """Source: RFC 9260, 3.3.1."""
    head = struct.pack("!BBHIHHI", 0, flags, 16 + len(message), number, 0, 0, 0)
    return (head + message).ljust((16 + len(message) + 3) // 4 * 4, b"\0")


def sctp(*chunks: bytes) -> bytes:
    return struct.pack("!HHII", 9, 4242, 1, 0) + b"".join(chunks)


SELECTIVE_ACK = struct.pack("!BBHIIHH", 3, 0, 16, 1, 1000, 0, 0)
TO_SERVER = [
    sctp(data_chunk(2**32 - 1, MESSAGES[0])),
    sctp(SELECTIVE_ACK, data_chunk(0, MESSAGES[1]), data_chunk(1, MESSAGES[2])),
]
TO_CLIENT = [sctp(SELECTIVE_ACK), sctp(data_chunk(7, REPLY))]


def over_sctp(
    recording: Recording, to_server: list[bytes] = TO_SERVER, to_client: list[bytes] = TO_CLIENT
) -> Recording:
    """The run of a kernel without SCTP as if it had it, with these packets."""
    edited = r.both(
        r.printed("sctp-client", lambda _: CLIENT_PRINTS),
        r.printed("sctp-server", lambda _: SERVER_PRINTS),
    )(recording)
    opening = {c.payload for c in recording.canaries if c.step == "seqpacket"}
    opening -= {c.payload for c in recording.canaries if c.bracket == "closing"}
    canaries = [f for f in recording.frames if f.data[r.ETHERNET :] in opening]
    time_ns = max(f.time_ns for f in canaries)
    frames = []
    for host, packets in (("client", to_server), ("server", to_client)):
        for packet in packets:
            if recording.family and recording.family.value == 6:
                source6, target6 = (V6_A, V6_B) if host == "client" else (V6_B, V6_A)
                data = ethernet(ipv6(packet, 132, source=source6, destination=target6), 0x86DD)
            else:
                source, target = (V4_A, V4_B) if host == "client" else (V4_B, V4_A)
                data = ethernet(ipv4(packet, 132, source=source, destination=target))
            for point in sorted(recording.points, key=lambda point: point.host != host):
                time_ns += 1
                way = Direction.OUT if point.host == host else Direction.IN
                frames.append(Frame(time_ns, point.name, way, data, len(data)))
    return r.with_frames(edited, [*edited.frames, *frames])


def over_sctp_with(to_server: list[bytes]) -> r.Edit:
    return lambda recording: over_sctp(recording, to_server)


CUT = [sctp(data_chunk(1, MESSAGES[0] + MESSAGES[1])), sctp(data_chunk(2, MESSAGES[2]))]
IN_PARTS = [
    sctp(data_chunk(1, MESSAGES[0], flags=2), data_chunk(2, b"", flags=1)),
    sctp(data_chunk(3, MESSAGES[1]), data_chunk(4, MESSAGES[2])),
]

BROKEN: list[tuple[str, r.Edit, str]] = [
    ("types-unix", replaced("table", "[SOCK_SEQPACKET]", "[SOCK_DGRAM]"), "gave SO_DOMAIN"),
    ("types-unix", replaced("table", "AF_UNIX, SOCK_STREAM, 0) = 3",
     "AF_UNIX, SOCK_STREAM, 0) = -1 EAFNOSUPPORT"), "gave EAFNOSUPPORT"),
    ("types-internet", replaced("table", "[IPPROTO_UDP]", "[IPPROTO_UDPLITE]"), "gave SO_DOMAIN"),
    ("types-internet", replaced("table", "AF_INET6, SOCK_STREAM, 0) = 3",
     "AF_INET6, SOCK_STREAM, 0) = -1 EAFNOSUPPORT"), "AF_INET6, SOCK_STREAM, 0) gave EAFNO"),
    ("types-seqpacket", granted("AF_INET", "IPPROTO_TCP"), "SO_PROTOCOL IPPROTO_TCP"),
    ("types-granted", replaced("table", "[AF_NETLINK]", "[AF_UNIX]"), "gave SO_DOMAIN AF_UNIX"),
    ("types-granted", replaced("table", "[IPPROTO_MPTCP]", "[IPPROTO_TCP]"), "IPPROTO_TCP"),
    ("types-granted", replaced("table", "[SOCK_STREAM]", "[SOCK_DGRAM]"), "SO_TYPE SOCK_DGRAM"),
    ("types-unconnected", early("4096) = -1 ENOTCONN", "4096) = -1 EAGAIN"), "returned EAGAIN"),
    ("types-unconnected", early("Too early. ') = -1 EPIPE", "Too early. ') = 11"), "returned 11"),
    ("types-unconnected", early("getpeername(3) = -1 ENOTCONN", "getpeername(3) = 0"),
     "returned 0"),
    ("types-unconnected", replaced("server", ")) = 4", ")) = -1 EINVAL"), "no accept()"),
    ("types-unconnected", s.changed("unconnected", says(b"In time.\n"), r.set_payload(b"Too ea")),
     "not what was sent after"),
    ("types-unconnected", s.without("unconnected", is_tcp), "0 TCP connections"),
    ("types-mapped", replaced("inet6-server", "::ffff:198.51.100.1", "2001:db8::1"),
     "no mapped address"),
    ("types-mapped", replaced("inet6-server", "'::ffff:198.51.100.1'", "'here'"),
     "no mapped address"),
    ("types-mapped", replaced("inet6-server", "::ffff:198.51.100.1", "::ffff:198.51.100.3"),
     "the wire 198.51.100.1"),
    ("types-mapped", s.changed("mapped", says(b"Hello. "), tagged, fix=False),
     "is no IPv4 frame"),
    ("types-mapped", s.without("mapped", is_tcp), "0 TCP connections"),
    ("types-sctp", over_sctp_with(CUT), "3 messages: 2 on the wire"),
    ("types-sctp", over_sctp_with(IN_PARTS), "3 messages: 2 on the wire"),
    ("types-sctp", over_sctp_with([]), "3 messages: 0 on the wire"),
    ("types-sctp", r.both(over_sctp, replaced("sctp-server", "b'Hello. ', 4096", "b'Hello', 4096")),
     "they differ"),
    ("types-mptcp", s.changed("multipath", has_syn, r.drop_option(MPTCP)), "is plain TCP"),
    ("types-mptcp", s.changed("multipath", is_syn_ack, r.drop_option(MPTCP)), "is plain TCP"),
    ("types-mptcp", s.without("multipath", is_syn_ack), "no whole handshake"),
    ("types-mptcp", s.without("multipath", is_tcp), "0 TCP connections"),
    ("types-mptcp", s.changed("multipath", says(b"May we use"), r.set_payload(b"No.")),
     "is not the same"),
]  # fmt: skip


def run_of(family: int) -> Recording:
    return s.recording_of(f"types{family}")


def verdict_of(claim: str, recording: Recording) -> Verdict:
    return s.verdict_of(SCENARIO, claim, recording)


def named(claim: str) -> Claim:
    (found,) = (each for each in SCENARIO.claims if each.id == claim)
    return found


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("claim", [c for c in CLAIMS if c != "types-sctp"])
def test_every_claim_holds_for_a_recorded_run(family: int, claim: str) -> None:
    verdict = verdict_of(claim, run_of(family))
    assert verdict.outcome is Outcome.HOLDS, verdict.why
    assert verdict.evidence


@pytest.mark.parametrize("family", FAMILIES)
def test_without_sctp_its_claim_is_skipped_and_says_why(family: int) -> None:
    verdict = verdict_of("types-sctp", run_of(family))
    assert verdict.outcome is Outcome.SKIPPED
    assert "SCTP" in verdict.why and "ESOCKTNOSUPPORT" in verdict.why
    assert verdict.evidence == (event("sctp-server:1"),)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("claim", [c for c in CLAIMS if c != "types-mptcp"])
def test_every_claim_holds_for_a_recorded_run_of_a_kernel_with_sctp(
    family: int, claim: str
) -> None:
    verdict = verdict_of(claim, s.recording_of(f"types-sctp{family}"))
    assert verdict.outcome is Outcome.HOLDS, verdict.why


@pytest.mark.parametrize("family", FAMILIES)
def test_every_message_over_sctp_is_seen_in_its_frames_and_calls(family: int) -> None:
    verdict = verdict_of("types-sctp", s.recording_of(f"types-sctp{family}"))
    assert "4 messages" in verdict.why
    assert len([each for each in verdict.evidence if each.kind is EventKind.FRAME]) == 4
    assert len([each for each in verdict.evidence if each.program.startswith("sctp-")]) == 8


def test_messages_of_a_recorded_run_that_are_not_on_the_wire_break_the_claim() -> None:
    lost = s.without("seqpacket", says(b"three messages"))(s.recording_of("types-sctp4"))
    verdict = verdict_of("types-sctp", lost)
    assert (verdict.outcome, "2 on the wire" in verdict.why) == (Outcome.BROKEN, True)


def test_messages_made_by_hand_hold_as_well() -> None:
    for family in FAMILIES:
        assert verdict_of("types-sctp", over_sctp(run_of(family))).outcome is Outcome.HOLDS


def test_a_data_chunk_sent_again_counts_once() -> None:
    again = over_sctp(run_of(4), [TO_SERVER[0], TO_SERVER[0] + bytes(4), TO_SERVER[1]])
    assert verdict_of("types-sctp", again).outcome is Outcome.HOLDS


def test_an_sctp_packet_cut_anywhere_has_the_messages_before_the_cut() -> None:
    packet = TO_SERVER[1]
    first_end, second_end = packet.index(b"ends them.\n") + 11, packet.index(b"End.\n") + 5
    for length in range(len(packet)):
        whole = (length >= first_end) + (length >= second_end)
        found = [message for _, message in whole_messages(packet[:length])]
        assert found == MESSAGES[1:][:whole]


def test_a_chunk_of_an_impossible_length_ends_the_packet() -> None:
    wrong = sctp(struct.pack("!BBH", 9, 0, 0), data_chunk(1, MESSAGES[0]))
    verdict = verdict_of("types-sctp", over_sctp(run_of(4), [wrong]))
    assert "0 on the wire" in verdict.why


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("claim", "edit", "why"),
    [pytest.param(*case, id=f"{case[0]}-{number}") for number, case in enumerate(BROKEN)],
)
def test_a_claim_is_broken_by_a_run_that_does_otherwise(
    family: int, claim: str, edit: r.Edit, why: str
) -> None:
    verdict = verdict_of(claim, edit(run_of(family)))
    assert (verdict.outcome, why in verdict.why) == (Outcome.BROKEN, True), verdict


def test_every_claim_has_a_run_that_breaks_it() -> None:
    assert {case[0] for case in BROKEN} == set(CLAIMS)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_is_undecided_where_a_canary_of_its_step_is_missing(
    family: int, claim: str
) -> None:
    incomplete = s.without_a_canary(named(claim).step_names[0])(over_sctp(run_of(family)))
    verdict = verdict_of(claim, incomplete)
    assert verdict.outcome is Outcome.UNDECIDED
    assert "incomplete capture" in verdict.why


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_is_undecided_where_programs_print_nothing(claim: str) -> None:
    verdict = verdict_of(claim, r.silent(run_of(4)))
    assert verdict.outcome is Outcome.UNDECIDED
    assert "print" in verdict.why


def test_seqpacket_granted_with_sctp_holds_and_another_protocol_may_then_be_the_fault() -> None:
    edit = r.both(
        granted("AF_INET", "IPPROTO_SCTP"),
        replaced("table", "SOCK_SEQPACKET, IPPROTO_TCP) = -1 ESOCKTNOSUPPORT",
                 "SOCK_SEQPACKET, IPPROTO_TCP) = -1 EPROTONOSUPPORT"),
    )  # fmt: skip
    verdict = verdict_of("types-seqpacket", edit(run_of(4)))
    assert verdict.outcome is Outcome.HOLDS
    assert "IPPROTO_SCTP" in verdict.why


def test_seqpacket_refused_by_a_policy_decides_nothing() -> None:
    refused = replaced("table", "SOCK_SEQPACKET, IPPROTO_SCTP) = -1 ESOCKTNOSUPPORT",
                       "SOCK_SEQPACKET, IPPROTO_SCTP) = -1 EACCES")  # fmt: skip
    verdict = verdict_of("types-seqpacket", refused(run_of(4)))
    assert (verdict.outcome, "EACCES" in verdict.why) == (Outcome.UNDECIDED, True)


def test_posix_enotconn_for_an_early_send_holds_as_well() -> None:
    edit = early("Too early. ') = -1 EPIPE", "Too early. ') = -1 ENOTCONN")
    assert verdict_of("types-unconnected", edit(run_of(4))).outcome is Outcome.HOLDS


def test_without_mptcp_its_claim_is_skipped() -> None:
    verdict = verdict_of("types-mptcp", s.recording_of("types-sctp4"))
    assert (verdict.outcome, "EPROTONOSUPPORT" in verdict.why) == (Outcome.SKIPPED, True)


@pytest.mark.parametrize("error", ["EPROTONOSUPPORT", "ENOPROTOOPT"])
def test_mptcp_that_is_refused_is_skipped_and_says_why(error: str) -> None:
    refused = "".join(f"socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP) = -1 {error}\n")
    edit = r.both(*(r.printed(f"mptcp-{who}", lambda _: refused) for who in ("client", "server")))
    verdict = verdict_of("types-mptcp", edit(run_of(4)))
    assert (verdict.outcome, error in verdict.why) == (Outcome.SKIPPED, True)


def test_calls_of_any_form_make_no_check_fail() -> None:
    odd = (
        "socket([1], {}, 2) = 3\nsocket() = 4\ngetsockopt(1, [2], {3}, (4,)) = 0\n"
        "connect() = 0\naccept(3, ()) = 4\naccept(3, (7,)) = 4\nsend(3) = 1\nrecvfrom([]) = 0\n"
    )
    recording = run_of(4)
    programs = tuple(replace(run, stdout=odd) for run in recording.programs)
    strange = replace(recording, programs=programs)
    outcomes = {verdict_of(claim, strange).outcome for claim in CLAIMS}
    assert Outcome.HOLDS not in outcomes
