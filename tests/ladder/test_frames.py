from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

import frame_bytes as fb
import pytest
import recorded as r
from transcript import converse

from lab.analysis.assembly import build_timelines
from lab.analysis.flows.crossings import crossings_of_capture
from lab.analysis.story import Phase
from lab.analysis.tcp.state import State
from lab.ladder.frames import (
    connections_by_crossing,
    frame_row,
    part_of,
    segments_by_crossing,
)
from lab.ladder.model import FrameKind, FrameRow, Part
from lab.records import Direction, Frame

TALK = """
0.001 client > server SYN seq=100 win=1000 mss=1460 ws=7
0.002 server > client SYN,ACK seq=900 ack=101 win=1000 mss=1460 ws=7
0.003 client > server ACK seq=101 ack=901
0.004 client > server ACK,PSH seq=101 ack=901 data=hello
0.005 client > server ACK,PSH seq=101 ack=901 data=hello
0.006 client > server FIN,ACK seq=106 ack=901
0.007 server > client RST,ACK seq=901 ack=107 lost
"""
BAD_AND_SACKED = """
0.001 client > server SYN seq=100
0.002 server > client SYN,ACK seq=900 ack=101
0.003 client > server ACK seq=101 ack=901
0.004 client > server ACK seq=101 ack=901 data=hello bad
0.005 server > client ACK seq=901 ack=101 blocks=106-116
"""
WAYS = (0, 1, True)


def rows(text: str = TALK) -> Iterator[FrameRow]:
    talk = converse(text)
    segment_of = segments_by_crossing([talk])
    for crossing in talk.flow.crossings:
        yield frame_row(crossing, segment_of[crossing.number], WAYS, Phase.DATA, name="f")


def captured(data: bytes) -> FrameRow:
    frame = Frame(5, "if0", Direction.UNKNOWN, data, len(data))
    (crossing,) = crossings_of_capture([frame])
    return frame_row(crossing, None, WAYS, Phase.OTHER)


def test_a_frames_kind_is_what_it_does() -> None:
    kinds = [row.kind for row in rows()]
    assert kinds == [
        FrameKind.SYN, FrameKind.SYN, FrameKind.ACK, FrameKind.DATA, FrameKind.DATA,
        FrameKind.FIN, FrameKind.RST,
    ]  # fmt: skip


def test_a_message_stands_in_place_of_its_bytes() -> None:
    query = struct.pack("!6H", 7, 0, 1, 0, 0, 0) + b"\1a\0\0\1\0\1"
    row = captured(fb.ethernet(fb.ipv4(fb.udp(query, dport=53), 17)))
    assert (row.text, row.payload, row.says) == ("DNS query 0x0007 A a.", b"", "")
    assert row.details == ("UDP 5000 > 53 len=19",)
    (timeline,) = build_timelines(r.recording_of("dns4"))
    segment_of = segments_by_crossing(timeline.conversations)
    said = [
        (found.text.split(" len=")[0], found.says.split(" 0x")[0], found.payload)
        for crossing in timeline.crossings
        if (segment := segment_of.get(crossing.number)) and segment.length
        for found in [frame_row(crossing, segment, WAYS, Phase.DATA)]
    ]
    assert said == [
        ("PSH ACK seq=1 ack=1", "DNS query", b""),
        ("PSH ACK seq=1 ack=33", "DNS answer", b""),
    ]


def test_a_segment_has_its_options_payload_notes_and_states() -> None:
    syn, answer, _, data, again, *_, reset = rows()
    assert syn.details == ("mss 1460, window scale 7",) and syn.payload == b""
    assert (data.details, data.payload, data.notes) == ((), b"hello", ())
    assert [note.value for note in again.notes] == ["retransmission"]
    assert [row.details for row in rows(BAD_AND_SACKED)][3:] == [
        ("TCP checksum 0x0000, ought to be 0xbeef",),
        ("SACK 6-16",),
    ]
    assert (answer.sender_state, answer.receiver_state) == ("SYN-RECEIVED", "ESTABLISHED")
    assert reset.is_lost and reset.receiver_state == "" and not syn.is_lost


def test_what_quotes_a_packet_is_an_error_and_other_packets_are_no_segments() -> None:
    request = fb.ipv4(fb.udp(b"ask"), 17)
    datagram = captured(fb.ethernet(request))
    error = captured(fb.ethernet(fb.ipv4(fb.icmp(3, 3, bytes(4), request[:28]), 1)))
    assert (datagram.kind, datagram.payload) == (FrameKind.OTHER, b"ask")
    assert (error.kind, error.payload) == (FrameKind.ERROR, b"")
    assert error.details == ("quotes UDP 5000 > 5001 len=3",)
    assert not datagram.is_segment and not error.is_segment
    assert datagram.text == "UDP 5000 > 5001 len=3"


@pytest.mark.parametrize("part", Part)
def test_a_part_of_a_frame_has_its_own_time_and_all_else_of_the_whole(part: Part) -> None:
    whole = next(rows())
    row = part_of(whole, part, whole.time_ns + 5, True)
    assert (row.part, row.time_ns, row.is_concurrent) == (part, whole.time_ns + 5, True)
    assert (row.event, row.text, row.sent_ns) == (whole.event, whole.text, whole.sent_ns)


def test_the_whole_of_a_frame_is_the_row_itself() -> None:
    whole = next(rows())
    assert part_of(whole, Part.WHOLE, whole.time_ns, False) is whole


def test_connections_are_known_by_their_segments() -> None:
    (timeline,), _ = r.judged(r.recorded(4))
    (talk,) = timeline.conversations
    assert connections_by_crossing([talk]) == {}
    found = connections_by_crossing([talk], {talk.flow.id: "40858"})
    assert found == {segment.crossing: "40858" for segment in talk.segments}


def test_a_state_of_the_kernels_says_what_the_frames_imply() -> None:
    talk = converse(TALK)
    segment = replace(
        talk.segments[2], receiver_state=State.LISTEN, implied_receiver_state=State.ESTABLISHED
    )
    row = frame_row(talk.flow.crossings[2], segment, WAYS, Phase.OPENING)
    assert (row.receiver_state, row.receiver_differs, row.sender_differs) == ("LISTEN", True, False)
    assert row.details == (
        "the frames imply ESTABLISHED at the receiver; the kernel says otherwise",
    )
