from __future__ import annotations

from dataclasses import replace
from typing import Any

import recorded as r
import traced_tcp as w
from network_steps import step_of

from lab.analysis.correlate.drops import find_untaken, join_drops
from lab.model.event import frame_id
from lab.records import DropNotice


def notice(number: int, late_ns: int, **more: Any) -> DropNotice:
    crossing = next(c for c in w.wire_timeline().crossings if c.number == number)
    assert crossing.received_ns is not None
    arrived_ns = crossing.received_ns + late_ns
    length = crossing.packet.frame.wire_bytes - 14
    found = DropNotice(
        arrived_ns + 5_000, "TCP_CSUM", "eth0", arrived_ns, length, step="conversation"
    )
    return replace(found, **more)


def dropped(*notices: DropNotice) -> list[tuple[str, str, str]]:
    trace = replace(w.wire().trace, drops=notices)
    found = w.timeline_of(replace(w.wire(), trace=trace))
    return [(str(each.id), str(each.frame), each.notice.reason) for each in found.drops]


def test_a_drop_notice_is_joined_with_its_frame() -> None:
    assert dropped(notice(8, 300)) == [("drop 1", "f8", "TCP_CSUM")]
    assert dropped(notice(8, 0)) == [("drop 1", "f8", "TCP_CSUM")]
    # The capture may stamp what the kernel has taken up already.
    assert dropped(notice(8, -1_400)) == [("drop 1", "f8", "TCP_CSUM")]


def test_a_frame_is_dropped_once() -> None:
    assert dropped(notice(8, 300), notice(8, 300)) == [("drop 1", "f8", "TCP_CSUM")]


def test_of_frames_alike_the_last_to_arrive_is_meant() -> None:
    again = r.repeated(8, 5_000)(w.wire())
    (first, second) = (c for c in w.timeline_of(again).crossings if c.packet.payload == w.HELLO[1])
    assert second.received_ns is not None
    late_ns = second.received_ns - (first.received_ns or 0) + 100
    trace = replace(again.trace, drops=(notice(8, late_ns),))
    (joined,) = w.timeline_of(replace(again, trace=trace)).drops
    assert joined.frame == second.id


def test_a_notice_that_fits_no_frame_is_left_out() -> None:
    assert dropped(notice(8, -5_001)) == []  # it arrived behind the drop
    assert dropped(notice(8, 1_000_001)) == []
    assert dropped(notice(8, 300, interface="eth1")) == []
    assert dropped(notice(8, 300, length=1)) == []
    assert dropped(notice(8, 300, arrived_ns=None)) == []


def test_an_acknowledgement_freed_without_a_reason_is_no_drop() -> None:
    assert dropped(notice(7, 300, reason="NOT_SPECIFIED")) == []
    assert dropped(notice(8, 300, reason="NOT_SPECIFIED")) == [("drop 1", "f8", "NOT_SPECIFIED")]


def test_a_drop_before_its_frame_arrived_is_another_frames() -> None:
    late = notice(8, 300)
    assert dropped(replace(late, time_ns=late.time_ns - 6_000)) == []


# With the packet's first bytes.


def with_bytes(number: int, **more: Any) -> DropNotice:
    """A notice as BPF gives it: what the packet was, instead of when it arrived."""
    crossing = next(c for c in w.wire_timeline().crossings if c.number == number)
    packet = crossing.packet.frame.data[14 : 14 + 128]
    given = {"arrived_ns": None, "host": crossing.receiver, "packet": packet}
    return notice(number, 300, **(given | more))


def test_the_packets_bytes_say_which_frame_it_is() -> None:
    assert dropped(with_bytes(8)) == [("drop 1", "f8", "TCP_CSUM")]
    assert dropped(with_bytes(8, length=0)) == [("drop 1", "f8", "TCP_CSUM")]


def test_however_late_it_is_dropped() -> None:
    late = with_bytes(8)
    assert dropped(replace(late, time_ns=late.time_ns + 10**10)) == [("drop 1", "f8", "TCP_CSUM")]
    assert dropped(replace(late, time_ns=late.time_ns - 6_000)) == []


def test_the_same_packet_elsewhere_is_another() -> None:
    assert dropped(with_bytes(8, host="client")) == []
    assert dropped(with_bytes(8, interface="lo")) == []


def test_other_bytes_are_another_packet() -> None:
    whole = with_bytes(8).packet
    for at in (12, 20, 24, 39):  # source, ports, sequence number, options
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        assert dropped(with_bytes(8, packet=changed)) == []


def test_of_a_segment_sent_again_the_copy_with_that_identification_is_meant() -> None:
    def renumber(data: bytes) -> bytes:
        return data[:18] + bytes([data[18] ^ 1]) + data[19:]

    again = r.repeated(8, 5_000, change=renumber)(w.wire())
    first, second = (c for c in w.timeline_of(again).crossings if c.packet.payload == w.HELLO[1])
    for meant in (first, second):
        found = with_bytes(8, packet=meant.packet.frame.data[14:], time_ns=10**19)
        trace = replace(again.trace, drops=(found,))
        (joined,) = w.timeline_of(replace(again, trace=trace)).drops
        assert joined.frame == meant.id


def test_a_dropped_segment_wakes_no_reader() -> None:
    trace = w.traced(w.times_by()).trace
    recording = replace(w.wire(), trace=replace(trace, drops=(with_bytes(8),)))
    before = w.timeline_of(w.traced(w.times_by())).correlation.channels
    after = w.timeline_of(recording).correlation.channels
    completed = {part.segment for channel in before for part in channel.read_parts}
    assert frame_id(8) in completed
    assert frame_id(8) not in {part.segment for each in after for part in each.read_parts}


def test_what_tcp_had_read_before_or_was_never_its_own_counts_as_taken() -> None:
    for reason, untaken in (
        ("NETFILTER_DROP", {8}),
        ("TCP_OLD_DATA", set()),
        ("QUEUE_PURGE", set()),
        ("OTHERHOST", set()),
    ):
        trace = replace(w.wire().trace, drops=(with_bytes(8, reason=reason),))
        drops = w.timeline_of(replace(w.wire(), trace=trace)).drops
        assert find_untaken(drops) == untaken


def test_what_a_router_throws_away_is_the_frame_that_came_to_it() -> None:
    timeline = step_of("traceroute4", "by-hand")
    lost = [crossing for crossing in timeline.crossings if crossing.lost]
    assert [len(crossing.hops) for crossing in lost] == [1, 2]
    notices = []
    for crossing in lost:
        assert crossing.last_seen is not None
        host, received_ns = crossing.last_seen
        packet = crossing.arrived.frame.data[14:]
        found = DropNotice(received_ns + 5_000, "IP_INHDR", "eth0", None, len(packet), "by-hand")
        notices.append(replace(found, host=host, packet=packet))
    joined = join_drops(notices, timeline.crossings, timeline.recording.points)
    assert [each.frame for each in joined] == [crossing.id for crossing in lost]
    swapped = [replace(notices[0], host=notices[1].host)]
    assert join_drops(swapped, timeline.crossings, timeline.recording.points) == ()
    # Without the packet's bytes, by length and time of arrival.
    (first, _) = lost
    assert first.last_seen is not None
    blind = replace(notices[0], packet=b"", host="", arrived_ns=first.last_seen[1] + 100)
    (alone,) = join_drops([blind], timeline.crossings, timeline.recording.points)
    assert alone.frame == first.id
