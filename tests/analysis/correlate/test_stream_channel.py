"""A stream's calls alone, and with segments; over recorded connections, test_correlate.py."""

from __future__ import annotations

from event_ids import event
from shown import flow_id
from system_calls import decoded
from transcript import converse

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.correlate.carriers import Carriers
from lab.analysis.correlate.stream_channel import stream_channel

SENDS = [decoded(1, "send", (0, 1), moved=5), decoded(2, "send", (2, 3), moved=3)]
READS = [
    decoded(3, "recv", (10, 11), socket="s2", moved=4),
    decoded(4, "recv", (12, 13), socket="s2", moved=4),
]
OPENING = """
    0.1 client > server SYN seq=100
    0.2 server > client SYN,ACK seq=900 ack=101
"""
SEGMENTS = """
    0.3 client > server ACK seq=101 ack=901 data=01234567
"""


def carriers(text: str) -> Carriers:
    return Carriers(converse(text), from_client=True)


def test_reads_are_of_the_sends_whose_bytes_they_returned() -> None:
    (channel,) = stream_channel("s1", "s2", SENDS, READS)
    assert [(part.start, part.end, part.reads) for part in channel.parts] == [
        (0, 5, (event("client#3"), event("client#4"))),
        (5, 8, (event("client#4"),)),
    ]
    assert [(part.start, part.end, part.segment) for part in channel.read_parts] == [
        (0, 4, None),
        (4, 8, None),
    ]
    assert (channel.sent, channel.read, channel.carried, channel.flow) == (8, 8, None, None)


def test_segments_are_those_that_carried_a_byte_for_the_first_time() -> None:
    (channel,) = stream_channel(
        "s1", "s2", SENDS, READS, carriers(OPENING + SEGMENTS), flow_id("tcp 0"), 8
    )
    assert [part.segments for part in channel.parts] == [(event("f3"),)] * 2
    assert [part.segment for part in channel.read_parts] == [event("f3")] * 2
    assert all(part.certain for part in channel.parts)
    assert channel.segments == 1


def test_no_place_is_certain_where_more_left_than_was_sent() -> None:
    (channel,) = stream_channel("s1", "s2", SENDS[:1], [], carriers(OPENING + SEGMENTS))
    assert [part.certain for part in channel.parts] == [False]


def test_a_call_that_did_not_return_may_have_sent_the_rest() -> None:
    unfinished = decoded(2, "send", (2, None))
    (channel,) = stream_channel(
        "s1", "s2", [SENDS[0], unfinished], [], carriers(OPENING + SEGMENTS)
    )
    assert [part.certain for part in channel.parts] == [True]


def test_without_the_streams_beginning_no_place_is_certain() -> None:
    (channel,) = stream_channel("s1", "s2", SENDS, [], carriers(SEGMENTS))
    assert not any(part.certain for part in channel.parts)


def test_what_nothing_moved_on_is_no_channel() -> None:
    failed = decoded(1, "send", (0, 1), error="EPIPE")
    ended = decoded(2, "recv", (0, 1), socket="s2")
    assert list(stream_channel("s1", "s2", [failed], [ended])) == []
    assert list(stream_channel("s1", "s2", [], [], carried=0)) == []


def test_bytes_that_came_to_a_program_that_did_not_read_are_a_channel() -> None:
    (channel,) = stream_channel("", "s2", [], [], carried=3)
    assert (channel.counts, channel.carried) == ("0 sends → 0 segments → 0 reads", 3)


def test_a_call_that_moves_several_messages_is_named_and_places_end_there() -> None:
    several: SystemCall = decoded(2, "sendmmsg", (2, 3), moved=2)
    (channel,) = stream_channel("s1", "s2", [SENDS[0], several], READS)
    assert channel.uncounted == event("client#2")
    assert [part.call for part in channel.parts] == [event("client#1")]
