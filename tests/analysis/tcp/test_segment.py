"""Numbers, windows and what happened on the way; what a side knows of them is test_side.py's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from transcript import only_flow

from lab.analysis.flows.checksums import judge_checksums
from lab.analysis.packets.packet import TcpOption
from lab.analysis.tcp.segment import (
    Draft,
    Note,
    WindowScale,
    draft_segments,
    offered_shift,
    offering_syn,
    offering_syns,
    scale_windows,
)


def drafts(text: str) -> list[Draft]:
    flow = only_flow(text)
    return draft_segments(flow, judge_checksums(flow).wrong)


def test_numbers_count_from_each_sides_syn_and_do_not_wrap() -> None:
    found = drafts(
        """
        0.1 client > server SYN seq=4294967290
        0.2 server > client SYN,ACK seq=5 ack=4294967291
        0.3 client > server ACK seq=4294967291 ack=6 data=0123456789
        0.4 client > server FIN,ACK seq=5 ack=6
        """
    )
    assert [(each.from_client, each.seq, each.end, each.ack) for each in found] == [
        (True, 0, 1, None),
        (False, 0, 1, 1),
        (True, 1, 11, 1),
        (True, 11, 12, 1),
    ]


def test_without_a_syn_the_first_number_is_1_of_each_side() -> None:
    found = drafts(
        """
        0.1 client > server ACK seq=700 ack=300 data=abc
        0.2 server > client ACK seq=300 ack=703 data=d
        """
    )
    assert [(each.seq, each.ack) for each in found] == [(1, 1), (1, 4)]


def test_a_syns_data_come_behind_it() -> None:
    syn, bare = drafts(
        """
        0.1 client > server SYN seq=100 data=abc
        0.2 client > server ACK seq=104 ack=0 data=d
        """
    )
    assert (syn.data_start, syn.end, bare.data_start, bare.end) == (1, 4, 4, 5)
    assert (syn.bare_syn, bare.bare_syn) == (True, False)


def test_a_rst_moves_no_number_of_those_behind_it() -> None:
    found = drafts(
        """
        0.1 client > server SYN seq=100
        0.2 client > server RST seq=3000000000
        0.3 client > server ACK seq=101 ack=1
        """
    )
    assert found[2].seq == 1


@pytest.mark.parametrize(
    ("option", "shift"),
    [
        (TcpOption(3, "window_scale", 7), 7),
        (TcpOption(3, "window_scale", 15), 14),  # RFC 7323, 2.3
        (TcpOption(3, "window_scale", b"\x07\x07"), None),
        (TcpOption(2, "mss", 1460), None),
    ],
)
def test_a_larger_shift_than_14_is_taken_as_14(option: TcpOption, shift: int | None) -> None:
    (syn,) = drafts("0.1 client > server SYN seq=1")
    assert offered_shift(replace(syn.tcp, options=(option,))) == shift


def test_the_syn_that_arrived_is_the_one_whose_offer_counts() -> None:
    found = drafts(
        """
        0.1 client > server SYN seq=100 ws=2 lost
        0.2 client > server SYN seq=100 ws=7
        0.3 server > client SYN,ACK seq=900 ack=101 ws=1 lost
        """
    )
    assert offering_syn(found, True) is found[1]
    assert offering_syn(found, False) is found[2]
    assert offering_syn(found[:2], False) is None


def test_windows_are_bytes_once_both_sides_offered_to_scale() -> None:
    opening = """
        0.1 client > server SYN seq=100 win=500 ws=2
        0.2 server > client SYN,ACK seq=900 ack=101 win=600 {ws}
        0.3 client > server ACK seq=101 ack=901 win=500
        0.4 server > client ACK seq=901 ack=101 win=600
    """
    scaled, unscaled = drafts(opening.format(ws="ws=3")), drafts(opening.format(ws=""))
    assert scale_windows(scaled, offering_syns(scaled)) == WindowScale(2, 3)
    assert scale_windows(unscaled, offering_syns(unscaled)) == WindowScale(0, 0)
    assert [each.window_bytes for each in scaled] == [500, 600, 2000, 4800]
    assert [each.window_bytes for each in unscaled] == [500, 600, 500, 600]


SYN_ACK_ALONE = """
    0.1 server > client SYN,ACK seq=900 ack=101 win=600 {ws}
    0.2 client > server ACK seq=101 ack=901 win=500
    0.3 server > client ACK seq=901 ack=101 win=229
"""
SYN_ALONE = """
    0.1 client > server SYN seq=100 win=500 {ws}
    0.2 client > server ACK seq=101 ack=901 win=500
    0.3 server > client ACK seq=901 ack=101 win=229
"""


@pytest.mark.parametrize(
    ("text", "scale", "windows"),
    [
        (SYN_ACK_ALONE.format(ws="ws=7"), WindowScale(None, 7), [600, 500, 29312]),
        (SYN_ACK_ALONE.format(ws=""), WindowScale(0, 0), [600, 500, 229]),
        (SYN_ALONE.format(ws="ws=7"), WindowScale(None, None), [500, 500, 229]),
        (SYN_ALONE.format(ws=""), WindowScale(0, 0), [500, 500, 229]),
        ("0.1 client > server ACK seq=1 ack=1 win=9", WindowScale(None, None), [9]),
    ],
    ids=["SYN-ACK with", "SYN-ACK without", "SYN with", "SYN without", "neither"],
)
def test_one_syn_alone_proves_what_it_can_of_scaling(
    text: str, scale: WindowScale, windows: list[int]
) -> None:
    found = drafts(text)
    assert scale_windows(found, offering_syns(found)) == scale
    assert [each.window_bytes for each in found] == windows


def test_sack_blocks_are_relative_to_the_numbers_of_what_they_are_about() -> None:
    _, _, plain, twice, within = drafts(
        """
        0.1 client > server SYN seq=4294967290
        0.2 server > client SYN,ACK seq=5 ack=4294967291
        0.3 server > client ACK seq=6 ack=4294967291 blocks=5-21
        0.4 server > client ACK seq=6 ack=5 blocks=4294967291-5,9-12
        0.5 server > client ACK seq=6 ack=5 blocks=10-11,9-12
        """
    )
    assert (plain.sack, plain.is_dsack) == (((11, 27),), False)
    assert (twice.sack, twice.is_dsack) == (((1, 11), (15, 18)), True)
    assert (within.sack, within.is_dsack) == (((16, 17), (15, 18)), True)


def test_what_happened_on_the_way_follows_from_where_a_frame_was_seen() -> None:
    lost, sent, copy, damaged = drafts(
        """
        0.1 client > server ACK seq=1 ack=1 data=a lost
        0.2 client > server ACK seq=2 ack=1 data=b recv=0.25
        0.3 client > server ACK seq=2 ack=1 data=b arrived
        0.4 client > server ACK seq=3 ack=1 data=c bad arrived
        """
    )
    assert (lost.notes, sent.notes) == ({Note.LOST}, set())
    assert (copy.notes, damaged.notes) == ({Note.DUPLICATED}, {Note.DAMAGED})
    assert [each.taken for each in (lost, sent, copy, damaged)] == [False, True, True, False]


def test_where_nothing_was_seen_leaving_nothing_is_known_of_the_way() -> None:
    (only,) = drafts("0.1 client > server ACK seq=1 ack=1 data=a bad arrived")
    assert only.notes == set()


def test_a_payload_is_as_long_as_the_header_says_and_as_far_as_it_was_captured() -> None:
    (cut,) = drafts("0.1 client > server ACK seq=1 ack=1 data=abcdef cut=2")
    assert cut.payload is not None
    assert (cut.length, cut.payload.data) == (6, b"ab")


def test_a_segment_without_a_payload_has_none() -> None:
    (empty,) = drafts("0.1 client > server ACK seq=1 ack=1")
    assert empty.payload is None


def test_a_segment_is_frozen_once_its_sender_was_followed() -> None:
    (only,) = drafts("0.1 client > server ACK seq=1 ack=1")
    with pytest.raises(AssertionError, match="every segment is followed"):
        only.freeze()
