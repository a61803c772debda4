from __future__ import annotations

from dataclasses import replace
from typing import Any

import recorded as r
import step_edits as s
import traced as t
import traced_tcp as w
from event_ids import event
from shown import flow_id

from lab.analysis.assembly import build_timelines
from lab.analysis.correlate.correlation import Accepted, Closed
from lab.analysis.timeline import Timeline
from lab.records import Syscall


def timeline(**more: Any) -> Timeline:
    return w.timeline_of(w.traced(w.times_by(w.earliest), **more))


def test_each_send_is_joined_with_its_segment_and_its_reads() -> None:
    forth, back = timeline().correlation.channels
    assert forth.counts == "3 sends → 3 segments → 4 reads"
    assert back.counts == "3 sends → 3 segments → 1 read"
    assert [(p.call, p.start, p.end, p.segments, p.reads) for p in forth.parts] == [
        (event("client#3"), 0, 7, (event("f6"),), (event("server#5"),)),
        (event("client#4"), 7, 33, (event("f8"),), (event("server#6"), event("server#7"))),
        (event("client#5"), 33, 48, (event("f10"),), (event("server#8"),)),
    ]
    assert [(p.call, p.start, p.end, p.segment) for p in back.read_parts] == [
        (event("client#7"), 0, 43, event("f17"))
    ]


def test_the_three_sums_of_a_channel_are_the_calls_and_the_wires() -> None:
    for channel, size in zip(timeline().correlation.channels, (48, 43), strict=True):
        assert (channel.sent, channel.carried, channel.read) == (size, size, size)


def test_a_retransmission_carries_nothing_for_the_first_time() -> None:
    recording = w.traced(w.times_by(), base=r.repeated(8, 2_000)(w.wire()))
    found = w.timeline_of(recording)
    assert found.correlation.channels[0].parts[1].segments == (event("f8"),)
    assert found.order.violations == ()


def test_bytes_that_were_lost_are_read_when_their_retransmission_arrives() -> None:
    new_id = r.changed(9, r.patch(r.ETHERNET + 4, b"\0\7"))
    again = r.both(r.repeated(8, 3_000), new_id, r.lost(8))(w.wire())
    found = w.timeline_of(w.traced(w.times_by(), base=again))
    part, read = found.correlation.channels[0].parts[1], found.correlation.channels[0].read_parts[1]
    assert (part.segments, read.segment) == ((event("f8"),), event("f9"))


def test_peeking_reads_take_nothing_away() -> None:
    def peek(call: Syscall) -> Syscall:
        is_first = call.program == "server" and call.name == "recvfrom" and call.result == 7
        return replace(call, arguments=(*call.arguments[:3], 2, 0, 0)) if is_first else call

    forth = timeline(change=peek).correlation.channels[0]
    assert (forth.reads, forth.read) == (3, 41)
    assert forth.parts[0].reads == (event("server#6"),)


def test_bytes_that_no_call_sent_make_the_places_of_the_others_uncertain() -> None:
    def omit(call: Syscall) -> Syscall | None:
        return None if call.result == 26 and call.program == "client" else call

    forth = timeline(change=omit).correlation.channels[0]
    assert (forth.sent, forth.carried) == (22, 48)
    assert not any(part.certain for part in forth.parts)


def test_sends_at_the_same_time_have_no_certain_place() -> None:
    recording = w.traced(w.times_by())
    calls = list(recording.trace.syscalls)
    sends = [call for call in calls if call.program == "client" and call.name == "sendto"]
    changed = replace(sends[1], entry_ns=sends[0].entry_ns + 1, tid=7)
    calls[calls.index(sends[1])] = changed
    calls.sort(key=lambda call: call.entry_ns)
    found = w.timeline_of(replace(recording, trace=replace(recording.trace, syscalls=tuple(calls))))
    parts = found.correlation.channels[0].parts
    assert [part.certain for part in parts] == [False, False, True]
    assert not any("f6" in each or "f8" in each for each in found.order.violations)


def test_from_an_urgent_byte_on_every_place_is_unknown() -> None:
    def urgent(call: Syscall) -> Syscall:
        is_second = call.program == "client" and call.result == 26
        return replace(call, arguments=(*call.arguments[:3], 1, 0, 0)) if is_second else call

    forth = timeline(change=urgent).correlation.channels[0]
    assert [part.call for part in forth.parts] == [event("client#3")]
    assert forth.sent == 48


def test_accept_is_joined_with_the_handshake_it_picked_up() -> None:
    found = timeline()
    accept = next(call for call in found.system_calls if call.name == "accept4")
    (ack,) = (c for c in found.crossings if c.number == 5)
    assert accept.exit_ns is not None and ack.received_ns is not None
    assert found.correlation.accepted == (
        Accepted(accept.id, flow_id("tcp 0"), event("f5"), accept.exit_ns - ack.received_ns, False),
    )


def test_connect_is_joined_with_the_flow_that_it_opened() -> None:
    assert timeline().correlation.connects == ((event("client#2"), flow_id("tcp 0")),)


def test_fins_are_joined_with_shutdown_and_close() -> None:
    found = timeline()
    client, server = (next(e.id for e in found.endpoints if e.flow and e.program == program)
                      for program in ("client", "server"))  # fmt: skip
    assert found.correlation.closed == (
        Closed(event("client#6"), client, event("f12")),
        Closed(event("server#13"), server, event("f19")),
    )


def test_a_fin_without_a_call_is_the_processs_end() -> None:
    def omit(call: Syscall) -> Syscall | None:
        return None if call.name == "close" else call

    (_, server) = timeline(change=omit).correlation.closed
    assert (server.call, server.segment) == (None, event("f19"))


def test_a_fin_after_another_process_ended_is_not_the_earlier_close() -> None:
    left_us = w.us_of(19, arrival=False)
    ended = t.task("server", "exit", left_us - 1, pid=101, step="conversation")
    recording = w.traced(w.times_by(w.earliest), ended)
    assert w.timeline_of(recording).correlation.closed[1].call is None
    same = t.task("server", "exit", left_us - 1, step="conversation")
    recording = w.traced(w.times_by(w.earliest), same)
    assert w.timeline_of(recording).correlation.closed[1].call == event("server#13")


def refused_send() -> tuple[Timeline, ...]:
    return build_timelines(s.recording_of("traced-udp4"))


def test_a_call_that_an_icmp_error_made_fail_is_joined_with_it() -> None:
    (found,) = (each for each in refused_send() if each.correlation.refusals)
    calls = {call.id: call for call in found.system_calls}
    frames = {crossing.id: crossing for crossing in found.crossings}
    (refusal,) = found.correlation.refusals
    call, frame = calls[refusal.call], frames[refusal.frame]
    assert call.error == "ECONNREFUSED"
    assert frame.packet.icmp is not None
    assert (frame.received_ns or 0) < (call.exit_ns or 0)
