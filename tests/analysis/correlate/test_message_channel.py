from __future__ import annotations

from event_ids import event
from shown import flow_id
from system_calls import decoded

from lab.analysis.correlate.message_channel import MessageWay, Sent


def way() -> MessageWay:
    """Three messages of 4, 6 and 2 bytes; of the second nobody's call is known."""
    made = MessageWay(flow_id("udp 0"))
    made.sender, made.receiver = "s1", "s2"
    made.messages = [
        Sent(decoded(1, "sendto", (0, 1), moved=4), event("f1"), 4),
        Sent(None, event("f2"), 6),
        Sent(decoded(2, "sendto", (2, 3), moved=2), None, 2),
    ]
    return made


def test_a_message_has_its_place_behind_those_before_it() -> None:
    channel = way().channel(10)
    assert [(part.call, part.start, part.end, part.segments) for part in channel.parts] == [
        (event("client#1"), 0, 4, (event("f1"),)),
        (event("client#2"), 10, 12, ()),
    ]


def test_calls_frames_and_bytes_are_counted_each_by_themselves() -> None:
    channel = way().channel(10)
    assert (channel.sends, channel.segments, channel.reads) == (2, 2, 0)
    assert (channel.sent, channel.carried, channel.read) == (6, 10, 0)
    assert (channel.sender, channel.receiver, channel.flow) == ("s1", "s2", flow_id("udp 0"))


def test_a_read_returns_its_message_as_far_as_there_was_room() -> None:
    joined = way()
    joined.messages[1].reads = [
        decoded(3, "recvfrom", (4, 5), socket="s2", moved=3),
        decoded(4, "recvfrom", (6, 7), socket="s2", moved=6),  # the first one peeked
    ]
    channel = joined.channel(10)
    assert [(part.call, part.start, part.end, part.segment) for part in channel.read_parts] == [
        (event("client#3"), 4, 7, event("f2")),
        (event("client#4"), 4, 10, event("f2")),
    ]


def test_with_msg_trunc_a_read_says_more_than_there_is_and_has_no_more() -> None:
    joined = way()
    joined.messages[0].reads = [decoded(3, "recvfrom", (4, 5), socket="s2", moved=9)]
    (part,) = joined.channel(10).read_parts
    assert (part.start, part.end) == (0, 4)


def test_a_read_of_what_nothing_was_seen_to_bring_counts_and_has_no_place() -> None:
    joined = way()
    joined.strays = [decoded(3, "recvfrom", (4, 5), socket="s2", moved=8)]
    channel = joined.channel(10)
    assert (channel.reads, channel.read, channel.read_parts) == (1, 8, ())


def test_beside_a_call_that_moved_several_no_message_is_anybodys() -> None:
    joined = way()
    joined.uncounted = event("client#9")
    joined.messages[0].reads = [decoded(3, "recvfrom", (4, 5), socket="s2", moved=4)]
    channel = joined.channel(None)
    assert (channel.parts, channel.read_parts, channel.carried) == ((), (), None)
    assert (channel.uncounted, channel.sends, channel.reads) == (event("client#9"), 2, 1)
