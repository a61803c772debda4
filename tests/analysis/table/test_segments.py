from __future__ import annotations

from typing import Any

import frame_bytes as fb
import pytest
from tabled import close_ups, framed, lossy_conversations, table_of

from lab.analysis.table.segments import Segments, make_segments
from lab.analysis.tcp.conversation import analyse_tcp
from lab.records import Frame

WRAP = 1 << 32


def segments_of(frames: list[Frame]) -> Segments:
    table = table_of(frames)
    flows = table.flows
    return make_segments(table.packets, flows.members, flows.is_from_a, flows.member_starts)


def check_like_close_up(frames: list[Frame]) -> None:
    """Whether numbers and windows are those of the segments of each flow by itself."""
    found = segments_of(frames)
    at = 0
    for flow in close_ups(frames)[1]:
        for segment in analyse_tcp(flow).segments:
            assert found.seq[at] == segment.seq
            assert found.ack[at] == (segment.ack or 0)
            assert found.window[at] == segment.window_bytes
            assert found.is_client[at] == segment.from_client
            at += 1
    assert at == len(found.rows)


def segment(from_client: bool, flags: int, seq: int, ack: int, **more: Any) -> Frame:
    ports, ends = ((1000, 80), (fb.V4_A, fb.V4_B))
    if not from_client:
        ports, ends = ports[::-1], ends[::-1]
    tcp = fb.tcp(
        b"x" * 10, sport=ports[0], dport=ports[1], seq=seq % WRAP, ack=ack % WRAP, flags=flags,
        source=ends[0], destination=ends[1], **more,
    )  # fmt: skip
    return framed(fb.ethernet(fb.ipv4(tcp, source=ends[0], destination=ends[1])))


def test_numbers_and_windows_are_those_of_single_flows() -> None:
    for seed in range(20):
        check_like_close_up(lossy_conversations(seed))


def test_sequence_numbers_do_not_wrap() -> None:
    start = WRAP - 25
    frames = [segment(True, 2, start, 0)]
    frames += [segment(True, 16, start + 11 + 10 * n, 5) for n in range(6)]
    frames += [segment(False, 16, 5, start + 41), segment(True, 16, start + 1, 5)]
    check_like_close_up(frames)
    assert max(segments_of(frames).end.tolist()) == 71


FAR_APART = (0, 19 * 2**30 // 10, 0, -15 * 2**30 // 10)
"""The last is more than half of all numbers below the second."""


def test_a_jump_beyond_half_of_all_numbers_makes_a_flow_odd() -> None:
    frames = [segment(True, 16, each, 5) for each in FAR_APART]
    assert segments_of(frames).is_odd.tolist() == [True]


SCALES = {"both": (b"\1\3\3\2", b"\1\3\3\7"), "one": (b"\1\3\3\2", b""), "none": (b"", b"")}


@pytest.mark.parametrize("scales", SCALES)
@pytest.mark.parametrize("first", [0, 1, 2])
def test_windows_are_scaled_where_that_is_known_to_be_in_force(scales: str, first: int) -> None:
    syn, answer = SCALES[scales]
    frames = [
        segment(True, 2, 100, 0, options=syn),
        segment(False, 18, 900, 101, options=answer),
        segment(True, 16, 101, 901),
        segment(False, 16, 901, 101),
    ]
    check_like_close_up(frames[first:])


def test_what_has_a_wrong_checksum_is_discarded_where_others_of_its_sender_are_right() -> None:
    frames = [segment(True, 16, 100, 5), segment(True, 16, 110, 5, checksum=1)]
    assert segments_of(frames).is_discarded.tolist() == [False, True]
    assert segments_of(frames[1:]).is_discarded.tolist() == [False]
    check_like_close_up(frames)
