"""What is claimed of any two programs: on runs that hold it, that break it, and that lack it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import recorded as r
import step_edits as s
from event_ids import event
from shown import flow_id

from lab.analysis.assembly import build_timelines
from lab.analysis.calls.system_call import SystemCall
from lab.analysis.calls.transcript import PrintedCall
from lab.analysis.correlate.correlation import Accepted, Channel, Correlation, SentPart
from lab.analysis.judging import judge
from lab.analysis.packets.packet import IPv4, Tcp
from lab.analysis.sockets.endpoint import Endpoint
from lab.analysis.timeline import Timeline
from lab.checks.ad_hoc import AD_HOC_CLAIMS
from lab.model.claim import Claim, Outcome, Verdict, holds
from lab.model.event import EventId, frame_id
from lab.records import Recording

CHECKS = {claim.name: claim for claim in AD_HOC_CLAIMS}
SYN, SYN_ACK, ACK, FIRST_DATA = 3, 4, 5, 6


def timeline_of(recording: Recording) -> Timeline:
    return build_timelines(recording)[0]


def tcp(*edits: r.Edit, family: int = 4) -> Timeline:
    recording = r.recorded(family)
    for edit in edits:
        recording = edit(recording)
    return timeline_of(recording)


def verdict(check: str, timeline: Timeline) -> Verdict:
    return CHECKS[check](timeline)


def outcome(check: str, timeline: Timeline) -> Outcome:
    return verdict(check, timeline).outcome


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("check", ["opens", "no-early-payload", "closes", "checksums"])
def test_a_conversation_holds_what_needs_no_trace(check: str, family: int) -> None:
    assert outcome(check, tcp(family=family)) is Outcome.HOLDS


@pytest.mark.parametrize("check", ["connect", "accept", "stream-bytes"])
def test_without_a_trace_nothing_is_decided_about_calls(check: str) -> None:
    assert outcome(check, tcp()) is Outcome.SKIPPED
    assert "no system call on a socket or pipe was traced" in verdict(check, tcp()).why


@pytest.mark.parametrize("check", ["udp-begins", "datagram-bytes", "unix-silent"])
def test_what_there_was_nothing_of_is_skipped(check: str) -> None:
    assert outcome(check, tcp()) is Outcome.SKIPPED


@pytest.mark.parametrize(
    "check", ["opens", "no-early-payload", "connect", "accept", "stream-bytes", "closes"]
)
def test_without_a_connection_its_claims_are_skipped(check: str) -> None:
    nothing = replace(tcp(), conversations=(), flows=(), crossings=())
    assert outcome(check, nothing) is Outcome.SKIPPED


def test_an_attempt_that_was_not_answered_is_no_connection() -> None:
    unanswered = tcp(r.without(*range(SYN_ACK, 21)))
    assert outcome("opens", unanswered) is Outcome.SKIPPED
    assert "tcp 0 was never answered" in verdict("opens", unanswered).why
    assert outcome("closes", unanswered) is Outcome.SKIPPED


def test_data_on_a_connection_that_was_never_opened_breaks_it() -> None:
    assert outcome("opens", tcp(r.without(SYN_ACK))) is Outcome.BROKEN


def test_a_handshake_whose_numbers_do_not_fit_is_found() -> None:
    timeline = tcp()
    (talk,) = timeline.conversations
    assert talk.handshake is not None
    odd = replace(talk.handshake, syn_ack=FIRST_DATA)
    broken = replace(timeline, conversations=(replace(talk, handshake=odd),))
    assert outcome("opens", broken) is Outcome.BROKEN
    later = replace(talk, handshake=replace(talk.handshake, ack=13))
    assert outcome("opens", replace(timeline, conversations=(later,))) is Outcome.BROKEN


def test_payload_before_the_end_of_the_handshake_is_found() -> None:
    timeline = tcp()
    (talk,) = timeline.conversations
    assert talk.handshake is not None
    late = replace(talk, handshake=replace(talk.handshake, ack=FIRST_DATA + 1))
    found = verdict("no-early-payload", replace(timeline, conversations=(late,)))
    assert found.outcome is Outcome.BROKEN
    assert found.evidence == (event("f7"), event("f6"))


def test_a_connection_without_payload_has_none_too_early() -> None:
    silent = tcp(r.without(*range(FIRST_DATA, 21)))
    assert outcome("no-early-payload", silent) is Outcome.SKIPPED


def test_a_connection_that_does_not_end_is_found() -> None:
    assert outcome("closes", tcp(r.without(*range(12, 21)))) is Outcome.BROKEN
    assert outcome("closes", tcp(r.without(19, 20))) is Outcome.BROKEN
    assert outcome("closes", tcp(r.without(20))) is Outcome.BROKEN


def test_a_wrong_checksum_is_found() -> None:
    timeline = tcp()
    layers = timeline.crossings[3].packet.layers
    wrong = tuple(
        replace(layer, checksum_ok=False) if isinstance(layer, IPv4 | Tcp) else layer
        for layer in layers
    )
    crossing = timeline.crossings[3]
    crossing = replace(crossing, packet=replace(crossing.packet, layers=wrong))
    crossings = (*timeline.crossings[:3], crossing, *timeline.crossings[4:])
    assert outcome("checksums", replace(timeline, crossings=crossings)) is Outcome.BROKEN
    assert outcome("checksums", replace(timeline, crossings=())) is Outcome.SKIPPED


# With system calls.


def call(
    id: EventId, name: str, entry_ns: int, exit_ns: int | None, error: str = "", moved: int = 0
) -> SystemCall:
    program = id.program
    result = None if exit_ns is None else -1 if error else moved
    return SystemCall(
        id, program, program, 1, 1, name, (), entry_ns, exit_ns, result, error, b"", moved, 3, "s1"
    )


def moment(timeline: Timeline, number: int, *, arrival: bool = False) -> int:
    crossing = timeline.crossings[number - 1]
    time_ns = crossing.received_ns if arrival else crossing.sent_ns
    assert time_ns is not None
    return time_ns


def with_connect(
    entry_us: float = -1, exit_us: float = 1, error: str = "", flow: str = "tcp 0"
) -> Timeline:
    """A connect() entered so long before the SYN, and returning so long after the SYN-ACK."""
    timeline = tcp()
    entry_ns = moment(timeline, SYN) + round(entry_us * 1000)
    exit_ns = moment(timeline, SYN_ACK, arrival=True) + round(exit_us * 1000)
    calls = (call(event("client#1"), "connect", entry_ns, exit_ns, error),)
    return replace(
        timeline,
        system_calls=calls,
        correlation=Correlation(connects=((event("client#1"), flow_id(flow)),)),
    )


def test_connect_begins_before_the_syn_and_returns_after_the_syn_ack() -> None:
    found = verdict("connect", with_connect())
    assert found.outcome is Outcome.HOLDS
    assert "client#1 returned 1 µs after f4 had come" in found.why
    assert found.evidence == (event("client#1"), event("f3"), event("f4"))


def test_a_connect_that_comes_too_late_or_returns_too_early_is_found() -> None:
    assert outcome("connect", with_connect(entry_us=1)) is Outcome.BROKEN
    assert outcome("connect", with_connect(exit_us=-1)) is Outcome.BROKEN


def test_a_connect_that_does_not_wait_may_return_early_but_not_begin_late() -> None:
    assert outcome("connect", with_connect(exit_us=-1, error="EINPROGRESS")) is Outcome.HOLDS
    assert outcome("connect", with_connect(1, -1, "EINPROGRESS")) is Outcome.BROKEN


def test_a_connect_that_no_connection_belongs_to_decides_nothing() -> None:
    assert outcome("connect", with_connect(flow="tcp 7")) is Outcome.UNDECIDED


def with_accept(exit_us: float, was_waiting: bool = False) -> Timeline:
    timeline = tcp()
    come_ns = moment(timeline, ACK, arrival=True)
    exit_ns = come_ns + round(exit_us * 1000)
    calls = (call(event("server#1"), "accept4", come_ns - 5000, exit_ns),)
    accepted = Accepted(
        event("server#1"), flow_id("tcp 0"), frame_id(ACK), exit_ns - come_ns, was_waiting
    )
    return replace(timeline, system_calls=calls, correlation=Correlation(accepted=(accepted,)))


def test_accept_returns_after_the_ack() -> None:
    assert outcome("accept", with_accept(1)) is Outcome.HOLDS
    assert "which had waited" in verdict("accept", with_accept(2, True)).why
    assert outcome("accept", with_accept(-1)) is Outcome.BROKEN


def with_bytes(
    timeline: Timeline, sent: int, carried: int | None, read: int, flow: str = "tcp 0", **ends: str
) -> Timeline:
    """One channel, from the client to the server."""
    channel = Channel(
        sender=ends.get("sender", "s1"),
        receiver=ends.get("receiver", "s2"),
        flow=flow_id(flow) if flow else None,
        parts=(
            SentPart(event("client#1"), 0, sent, (frame_id(FIRST_DATA),), (event("server#1"),)),
        ),
        sent=sent,
        carried=carried,
        read=read,
        sends=1,
        segments=1,
        reads=1,
    )
    endpoints = tuple(
        Endpoint(
            id, host, host, "AF_INET", "SOCK_STREAM", "tcp", None, None, False, event(f"{host}#1")
        )
        for id, host in (("s1", "client"), ("s2", "server"))
        for made_by in [event(f"{host}#1")]
    )
    calls = (
        call(event("client#1"), "send", 0, 1, moved=sent),
        call(event("server#1"), "recv", 0, 1, moved=read),
    )
    correlation = Correlation(channels=(channel,))
    return replace(timeline, system_calls=calls, endpoints=endpoints, correlation=correlation)


def with_printed(timeline: Timeline, sent: int, read: int) -> Timeline:
    """The same, of programs that print what they sent and read."""
    printed: dict[str, tuple[PrintedCall, ...]] = {
        program: (PrintedCall(program, 1, name, f"{name}(3)", (3,), moved, ""),)
        for program, name, moved in (("client", "send", sent), ("server", "recv", read))
    }
    names = {"send": "sendto", "recv": "recvfrom"}
    calls = tuple(
        replace(each, name=names[each.name], result=each.moved) for each in timeline.system_calls
    )
    return replace(timeline, calls=printed, system_calls=calls)


def test_bytes_sent_are_on_the_wire_and_read() -> None:
    found = verdict("stream-bytes", with_bytes(tcp(), 7, 7, 7))
    assert found.outcome is Outcome.HOLDS
    assert found.evidence == (event("client#1"), event("server#1"))
    assert "7 bytes sent, 7 on the wire, 7 read" in found.why


@pytest.mark.parametrize(
    ("sent", "carried", "read", "expected"),
    [
        (7, 7, 5, Outcome.HOLDS),  # the reader may leave some
        (7, 7, 8, Outcome.UNDECIDED),
        (7, 8, 7, Outcome.UNDECIDED),
        (8, 7, 7, Outcome.UNDECIDED),  # the FIN was acknowledged
        (7, None, 7, Outcome.UNDECIDED),
    ],
)
def test_bytes_that_appear_or_vanish_are_found(
    sent: int, carried: int | None, read: int, expected: Outcome
) -> None:
    timeline = with_bytes(tcp(), sent, carried, read)
    assert outcome("stream-bytes", timeline) is expected
    # The tracer and the wire alone contradict each other; what is printed as well was done.
    is_known = expected is Outcome.HOLDS or carried is None
    both = expected if is_known else Outcome.BROKEN
    assert outcome("stream-bytes", with_printed(timeline, sent, read)) is both


def test_what_became_of_bytes_is_unknown_where_the_connection_was_cut_off() -> None:
    cut_off = tcp(r.without(*range(12, 21)))
    assert outcome("stream-bytes", with_bytes(cut_off, 8, 7, 7)) is Outcome.UNDECIDED
    assert outcome("stream-bytes", with_bytes(cut_off, 7, 7, 7)) is Outcome.HOLDS


@pytest.mark.parametrize(
    ("end", "sent", "carried", "read", "expected"),
    [
        ("receiver", 7, 7, 0, Outcome.HOLDS),
        ("receiver", 7, 8, 0, Outcome.UNDECIDED),
        ("sender", 0, 7, 7, Outcome.HOLDS),
        ("sender", 0, 7, 8, Outcome.UNDECIDED),
    ],
)
def test_what_one_side_did_is_judged_by_that_side(
    end: str, sent: int, carried: int, read: int, expected: Outcome
) -> None:
    assert outcome("stream-bytes", with_bytes(tcp(), sent, carried, read, **{end: ""})) is expected
    alone = with_bytes(udp(), sent, carried, read, flow="udp 0", **{end: ""})
    assert outcome("datagram-bytes", alone) is expected


def test_a_connection_without_bytes_has_none_to_judge() -> None:
    silent = with_bytes(tcp(r.without(*range(FIRST_DATA, 21))), 0, 0, 0, flow="udp 7")
    assert outcome("stream-bytes", silent) is Outcome.SKIPPED


def test_calls_that_nobody_made_have_nothing_to_judge() -> None:
    timeline = with_bytes(tcp(), 7, 7, 7)
    for name in ("connect", "accept"):
        found = verdict(name, timeline)
        assert (found.outcome, found.is_observed) == (Outcome.SKIPPED, True)


def test_a_connection_that_was_open_when_the_capture_ended_is_no_fault() -> None:
    open_still = tcp(
        r.without(*range(12, 21)), lambda recording: replace(recording, unfinished=("a b",))
    )
    assert outcome("closes", open_still) is Outcome.UNDECIDED


def with_raw_socket(timeline: Timeline) -> Timeline:
    raw = Endpoint(
        "s9", "client", "client", "AF_INET", "SOCK_RAW", "6", None, None, False, event("client#9")
    )
    return replace(timeline, endpoints=(*timeline.endpoints, raw))


def test_what_a_raw_socket_may_have_sent_breaks_nothing() -> None:
    assert outcome("opens", with_raw_socket(tcp(r.without(SYN_ACK)))) is Outcome.SKIPPED
    more = with_bytes(tcp(), 7, 8, 7)
    assert outcome("stream-bytes", with_raw_socket(more)) is Outcome.UNDECIDED
    unjoined = with_bytes(tcp(), 7, 7, 7, flow="udp 7")
    assert outcome("stream-bytes", with_raw_socket(unjoined)) is Outcome.SKIPPED


def with_ring(timeline: Timeline, host: str = "client") -> Timeline:
    """A program of that host has made a ring, and no call is followed beyond that."""
    ring = replace(call(event(f"{host}#8"), "io_uring_setup", 0, 1), host=host)
    channels = tuple(
        replace(each, uncounted=ring.id) if each.sent != each.carried else each
        for each in timeline.correlation.channels
    )
    correlation = replace(timeline.correlation, channels=channels)
    calls = (*timeline.system_calls, ring)
    return replace(timeline, system_calls=calls, correlation=correlation)


def test_what_a_ring_may_have_done_is_undecided_and_named() -> None:
    by_ring = with_ring(with_bytes(tcp(), 0, 7, 7))
    assert "the tracer or the capture" in verdict("stream-bytes", with_bytes(tcp(), 0, 7, 7)).why
    for name in ("stream-bytes", "connect", "accept"):
        found = verdict(name, by_ring)
        assert found.outcome is Outcome.UNDECIDED
        assert "io_uring(7)" in found.why
        assert found.evidence == (event("client#8"),)
    beside = with_ring(replace(unix(), crossings=tcp().crossings))
    assert outcome("unix-silent", beside) is Outcome.UNDECIDED


def test_what_the_sender_accounts_for_is_judged_whatever_the_reader_uses() -> None:
    timeline = with_bytes(tcp(), 7, 7, 0)
    (channel,) = timeline.correlation.channels
    channel = replace(channel, uncounted=event("server#8"))
    calls = (*timeline.system_calls, call(event("server#8"), "io_uring_setup", 0, 1))
    correlation = replace(timeline.correlation, channels=(channel,))
    read_by_ring = replace(timeline, system_calls=calls, correlation=correlation)
    assert outcome("stream-bytes", read_by_ring) is Outcome.HOLDS


@pytest.mark.parametrize("check", [name for name in CHECKS if name != "unix-silent"])
def test_that_nothing_was_seen_is_no_conclusion_of_an_incomplete_capture(check: str) -> None:
    nothing = tcp(lambda recording: r.incomplete(r.without(*range(1, 21))(recording)))
    (judged,) = judge([CHECKS[check]], [nothing])
    assert judged.verdict.outcome is Outcome.UNDECIDED
    assert judged.verdict.why.startswith("incomplete capture")


def test_calls_that_no_channel_has_decide_nothing() -> None:
    timeline = with_bytes(tcp(), 7, 7, 7, flow="udp 0")
    assert outcome("stream-bytes", timeline) is Outcome.UNDECIDED


# Datagrams and unix sockets.


def udp() -> Timeline:
    return next(
        each
        for each in build_timelines(s.recording_of("udp4"))
        if any(flow.protocol == "udp" for flow in each.flows)
    )


def test_a_udp_exchange_begins_with_data() -> None:
    assert outcome("udp-begins", udp()) is Outcome.HOLDS
    assert outcome("opens", udp()) is Outcome.SKIPPED


def with_empty_first(timeline: Timeline, sent_by_a_call: bool | None) -> Timeline:
    """The first datagram is empty; whether a traced call sent it, None without a trace."""
    flow = next(flow for flow in timeline.flows if flow.protocol == "udp")
    first = flow.crossings[0]
    empty = replace(first, packet=replace(first.packet, layers=first.packet.layers[:-1]))
    flow = replace(flow, crossings=(empty, *flow.crossings[1:]))
    changed = replace(timeline, flows=(flow,))
    if sent_by_a_call is None:
        return changed
    changed = with_bytes(changed, 7, 7, 7, flow="udp 0")
    (channel,) = changed.correlation.channels
    segments = (first.id,) if sent_by_a_call else ()
    part = replace(channel.parts[0], segments=segments)
    return replace(changed, correlation=Correlation(channels=(replace(channel, parts=(part,)),)))


@pytest.mark.parametrize(
    ("sent_by_a_call", "expected"),
    [(None, Outcome.SKIPPED), (True, Outcome.HOLDS), (False, Outcome.UNDECIDED)],
)
def test_an_empty_first_datagram(sent_by_a_call: bool | None, expected: Outcome) -> None:
    assert outcome("udp-begins", with_empty_first(udp(), sent_by_a_call)) is expected


def test_an_empty_first_datagram_that_was_not_printed_either_was_sent_by_nobody() -> None:
    timeline = with_printed(with_empty_first(udp(), False), 7, 7)
    found = verdict("udp-begins", timeline)
    assert (found.outcome, "no call sent it" in found.why) == (Outcome.BROKEN, True)


@pytest.mark.parametrize(
    ("sent", "carried", "read", "expected"),
    [
        (7, 7, 7, Outcome.HOLDS),
        (7, 5, 5, Outcome.HOLDS),  # UDP may lose some
        (7, 8, 7, Outcome.UNDECIDED),
        (7, 8, 8, Outcome.UNDECIDED),
        (7, 7, 8, Outcome.UNDECIDED),
    ],
)
def test_bytes_of_datagrams(sent: int, carried: int, read: int, expected: Outcome) -> None:
    timeline = with_bytes(udp(), sent, carried, read, flow="udp 0")
    assert outcome("datagram-bytes", timeline) is expected
    untraced = replace(timeline, system_calls=())
    assert outcome("datagram-bytes", untraced) is Outcome.SKIPPED


def unix(read: int = 7) -> Timeline:
    timeline = build_timelines(s.recording_of("unix-types"))[0]
    assert timeline.recording.family is None
    assert not timeline.crossings
    timeline = with_bytes(timeline, 7, None, read, flow="")
    ends = tuple(replace(end, domain="AF_UNIX", protocol="unix") for end in timeline.endpoints)
    return replace(timeline, endpoints=ends)


def test_a_unix_socket_puts_nothing_on_the_wire() -> None:
    found = verdict("unix-silent", unix())
    assert found.outcome is Outcome.HOLDS
    assert found.why.startswith("7 bytes sent, 7 read, and not one frame")
    assert found.evidence == (event("client#1"), event("server#1"))
    assert verdict("unix-silent", unix(read=0)).why.startswith("7 bytes sent, 0 read")


def test_silence_without_a_byte_or_a_trace_proves_nothing() -> None:
    empty = replace(unix(), correlation=Correlation())
    assert outcome("unix-silent", empty) is Outcome.SKIPPED
    untraced = replace(unix(), system_calls=(), endpoints=(), correlation=Correlation())
    assert outcome("unix-silent", untraced) is Outcome.SKIPPED


def test_a_frame_beside_a_unix_socket_is_found() -> None:
    crossings = tcp().crossings[:2]
    found = verdict("unix-silent", replace(unix(), crossings=crossings))
    assert found.outcome is Outcome.BROKEN
    assert found.evidence == (event("f1"), event("f2"))


def test_frames_of_other_sockets_are_not_the_unix_sockets() -> None:
    timeline = unix()
    (flow,) = tcp().flows
    other = replace(timeline.endpoints[0], id="s8", domain="AF_INET", protocol="tcp", local=flow.a)
    busy = replace(timeline, flows=(flow,), crossings=tcp().crossings)
    mixed = replace(busy, endpoints=(*timeline.endpoints, other))
    assert outcome("unix-silent", mixed) is Outcome.HOLDS
    elsewhere = replace(other, local=replace(flow.a, port=9))
    stranger = replace(busy, endpoints=(*timeline.endpoints, elsewhere))
    assert outcome("unix-silent", stranger) is Outcome.BROKEN


def test_silence_on_a_device_that_was_not_watched_proves_nothing() -> None:
    timeline = unix()
    points = tuple(point for point in timeline.recording.points if point.interface != "lo")
    unwatched = replace(timeline, recording=replace(timeline.recording, points=points))
    assert outcome("unix-silent", unwatched) is Outcome.UNDECIDED


# Programs that fail.


def failed(recording: Recording) -> Recording:
    first, *others = recording.programs
    return replace(recording, programs=(replace(first, failure="was killed"), *others))


@pytest.mark.parametrize(
    ("despite_failures", "edit", "expected"),
    [
        (True, failed, Outcome.HOLDS),
        (False, failed, Outcome.UNDECIDED),
        (False, lambda recording: recording, Outcome.HOLDS),
    ],
)
def test_a_failed_program_leaves_undecided_what_does_not_allow_for_it(
    despite_failures: bool, edit: Callable[[Recording], Recording], expected: Outcome
) -> None:
    claim = Claim(
        "x", "X.", "RFC 1", lambda _: holds("so", [event("f1")]), despite_failures=despite_failures
    )
    (judgement,) = judge([claim], build_timelines(edit(r.recorded(4))))
    assert judgement.verdict.outcome is expected
    if expected is Outcome.UNDECIDED:
        assert judgement.verdict.why == "program server was killed"
