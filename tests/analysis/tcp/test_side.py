"""What is remarkable about segments, and the bytes that came through."""

from __future__ import annotations

from itertools import pairwise

import pytest
from examples import examples
from hypothesis import example, given
from hypothesis import strategies as st
from transcript import converse, crossings

from lab.analysis.flows.flow import group_flows
from lab.analysis.tcp.conversation import analyse_tcp
from lab.analysis.tcp.segment import Note
from lab.analysis.tcp.state import State

OPEN = """
    0.01 client > server SYN seq=100
    0.02 server > client SYN,ACK seq=900 ack=101
    0.03 client > server ACK seq=101 ack=901
"""


def notes(text: str, opening: str = OPEN) -> list[str]:
    """The notes of each segment after the opening, by name."""
    segments = converse(opening + text).segments
    skip = len([line for line in opening.splitlines() if line.strip()])
    return [" ".join(sorted(note.name for note in s.notes)) for s in segments[skip:]]


def test_data_sent_again_is_a_retransmission_whether_or_not_it_was_lost() -> None:
    assert notes(
        """
        0.1 client > server ACK seq=101 ack=901 data=abc lost
        0.2 client > server ACK seq=101 ack=901 data=abc
        0.3 client > server ACK seq=101 ack=901 data=abc
        """
    ) == ["LOST", "RETRANSMISSION", "RETRANSMISSION"]


def test_a_retransmission_may_carry_new_data_too() -> None:
    assert notes(
        """
        0.1 client > server ACK seq=101 ack=901 data=abc
        0.2 client > server ACK seq=101 ack=901 data=abcdef
        0.3 client > server ACK seq=107 ack=901 data=ghi
        """
    ) == ["", "RETRANSMISSION", ""]


def test_a_syn_ack_sent_again_is_a_retransmission() -> None:
    assert notes("0.4 server > client SYN,ACK seq=900 ack=101") == ["RETRANSMISSION"]


def test_a_gap_and_its_late_filler_at_one_point() -> None:
    assert notes(
        """
        0.1 client > server ACK seq=104 ack=901 data=def
        0.2 client > server ACK seq=101 ack=901 data=abc
        """
    ) == ["PREVIOUS_NOT_CAPTURED", "OUT_OF_ORDER"]


def test_segments_that_overtake_each_other_between_two_points_are_out_of_order() -> None:
    text = """
        0.1 client > server ACK seq=101 ack=901 data=abc recv=0.4
        0.2 client > server ACK seq=104 ack=901 data=def recv=0.3
        """
    assert notes(text) == ["OUT_OF_ORDER", ""]
    assert converse(OPEN + text).client_to_server.data == b"abcdef"


def test_an_ack_beyond_the_last_byte_shows_that_segments_are_missing_once() -> None:
    assert notes(
        """
        0.1 client > server ACK seq=201 ack=901
        0.2 client > server ACK seq=201 ack=901
        """
    ) == ["PREVIOUS_NOT_CAPTURED", ""]


DATA_AND_ACK = """
    0.1 server > client ACK seq=901 ack=101 data=aaa
    0.2 client > server ACK seq=101 ack=904 win=50
    0.3 server > client ACK seq=904 ack=101 data=bbb lost
"""


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("client > server ACK seq=101 ack=904 win=50", "DUPLICATE_ACK"),
        ("client > server ACK seq=101 ack=904 win=50 lost", "LOST"),
        ("client > server ACK seq=101 ack=904 win=60", "WINDOW_UPDATE"),
        ("client > server ACK seq=101 ack=904 win=50 data=x", ""),
        ("client > server FIN,ACK seq=101 ack=904 win=50", ""),
        ("client > server ACK seq=101 ack=901 win=50", ""),
        ("client > server ACK seq=101 ack=907 win=50", ""),
        ("client > server RST,ACK seq=101 ack=904 win=50", ""),
    ],
    ids=["all five hold", "lost", "window", "data", "FIN", "older ACK", "newer ACK", "RST"],
)
def test_a_duplicate_ack_meets_all_conditions_of_rfc_5681(line: str, note: str) -> None:
    assert notes(DATA_AND_ACK + "0.4 " + line)[3:] == [note]


def test_without_outstanding_data_an_ack_is_no_duplicate() -> None:
    text = DATA_AND_ACK.rsplit("0.3", 1)[0] + "0.4 client > server ACK seq=101 ack=904 win=50"
    assert notes(text)[2:] == [""]


THREE_DUPLICATES = """
    0.10 client > server ACK seq=101 ack=901 data=abc {fate}
    0.11 client > server ACK seq=104 ack=901 data=def
    0.12 server > client ACK seq=901 ack=101
    0.13 server > client ACK seq=901 ack=101
    0.14 server > client ACK seq=901 ack=101
"""


def test_three_duplicate_acks_make_a_fast_retransmit_once() -> None:
    found = notes(
        THREE_DUPLICATES.format(fate="lost")
        + """
        0.15 client > server ACK seq=101 ack=901 data=abc
        0.16 client > server ACK seq=101 ack=901 data=abc
        """
    )
    assert found[2:5] == ["DUPLICATE_ACK"] * 3
    assert found[5:] == ["FAST_RETRANSMIT RETRANSMISSION", "RETRANSMISSION"]


def test_two_duplicate_acks_make_no_fast_retransmit() -> None:
    text = THREE_DUPLICATES.format(fate="lost").rsplit("0.14", 1)[0]
    found = notes(text + "0.15 client > server ACK seq=101 ack=901 data=abc")
    assert found[-1] == "RETRANSMISSION"


def test_long_after_the_third_duplicate_ack_it_is_a_timeout() -> None:
    found = notes(
        THREE_DUPLICATES.format(fate="lost") + "0.5 client > server ACK seq=101 ack=901 data=abc"
    )
    assert found[-1] == "RETRANSMISSION TIMEOUT"


@pytest.mark.parametrize(
    ("again", "expected"),
    [("0.319", "RETRANSMISSION"), ("0.331", "RETRANSMISSION TIMEOUT")],
)
def test_the_timer_waits_for_200_ms_and_a_round_trip(again: str, expected: str) -> None:
    # The handshake took 20 ms; the timer runs from the ACK at 0.11.
    found = notes(
        f"""
        0.10 client > server ACK seq=101 ack=901 data=abc
        0.11 client > server ACK seq=104 ack=901 data=def
        0.11 server > client ACK seq=901 ack=104
        {again} client > server ACK seq=104 ack=901 data=def
        """
    )
    assert found[-1] == expected


def test_a_retransmission_of_what_is_not_the_oldest_is_no_timeout() -> None:
    found = notes(
        """
        0.10 client > server ACK seq=101 ack=901 data=abc
        0.11 client > server ACK seq=104 ack=901 data=def
        0.90 client > server ACK seq=104 ack=901 data=def
        """
    )
    assert found[-1] == "RETRANSMISSION"


MISSING = """
    0.10 client > server ACK seq=101 ack=901 len=100
    0.10 client > server ACK seq=301 ack=901 len=100
    0.11 server > client ACK seq=901 ack=201
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.37 client > server ACK seq=201 ack=901 len=100",
         "FIRST_COPY_NOT_CAPTURED RETRANSMISSION TIMEOUT"),
        ("0.12 client > server ACK seq=201 ack=901 len=100", "OUT_OF_ORDER"),
        ("""
         0.12 server > client ACK seq=901 ack=201
         0.13 server > client ACK seq=901 ack=201
         0.14 client > server ACK seq=201 ack=901 len=100
         """, "OUT_OF_ORDER"),
        ("""
         0.12 server > client ACK seq=901 ack=201
         0.13 server > client ACK seq=901 ack=201
         0.14 server > client ACK seq=901 ack=201
         0.15 client > server ACK seq=201 ack=901 len=100
         """, "FAST_RETRANSMIT FIRST_COPY_NOT_CAPTURED RETRANSMISSION"),
    ],
    ids=["after a timeout", "at once", "two duplicate ACKs", "three duplicate ACKs"],
)  # fmt: skip
def test_a_hole_is_filled_by_what_was_overtaken_or_by_a_retransmission(
    text: str, expected: str
) -> None:
    assert notes(MISSING + text)[-1] == expected


def test_in_recovery_the_next_hole_is_filled_by_a_retransmission_as_well() -> None:
    found = notes(
        """
        0.100 client > server ACK seq=101 ack=901 len=10
        0.101 client > server ACK seq=121 ack=901 len=10
        0.102 client > server ACK seq=141 ack=901 len=10
        0.110 server > client ACK seq=901 ack=111
        0.111 server > client ACK seq=901 ack=111
        0.112 server > client ACK seq=901 ack=111
        0.113 server > client ACK seq=901 ack=111
        0.114 client > server ACK seq=111 ack=901 len=10
        0.124 server > client ACK seq=901 ack=131
        0.125 client > server ACK seq=131 ack=901 len=10
        """
    )
    assert found[7] == "FAST_RETRANSMIT FIRST_COPY_NOT_CAPTURED RETRANSMISSION"
    assert found[9] == "FIRST_COPY_NOT_CAPTURED RETRANSMISSION"


def test_what_was_acknowledged_before_is_a_spurious_retransmission_seen_or_not() -> None:
    assert notes(
        """
        0.1 server > client PSH,ACK seq=80 ack=100 len=10
        0.2 client > server PSH,ACK seq=0 ack=90 len=100
        0.3 server > client ACK seq=90 ack=100
        """,
        opening="",
    ) == ["", "FIRST_COPY_NOT_CAPTURED RETRANSMISSION SPURIOUS", ""]
    assert notes(
        """
        0.1 client > server ACK seq=101 ack=901 data=abc
        0.2 server > client ACK seq=901 ack=104
        0.3 client > server ACK seq=101 ack=901 data=abc
        0.4 client > server ACK seq=101 ack=901 data=abcd
        """
    )[2:] == ["RETRANSMISSION SPURIOUS", "RETRANSMISSION"]


def test_a_fin_overtaken_by_an_empty_ack_is_out_of_order() -> None:
    assert notes(
        """
        0.1 client > server FIN,ACK seq=101 ack=901
        0.2 server > client ACK seq=902 ack=102
        0.3 server > client FIN,ACK seq=901 ack=101
        0.4 client > server ACK seq=102 ack=902
        """
    ) == ["", "PREVIOUS_NOT_CAPTURED", "OUT_OF_ORDER", ""]


SACKED = """
    0.1 client > server ACK seq=101 ack=901 data=abc lost
    0.2 client > server ACK seq=104 ack=901 data=def
    0.3 server > client ACK seq=901 ack=101 win={} blocks=104-107
"""


def test_an_ack_with_an_unknown_sack_block_is_a_duplicate_whatever_its_window() -> None:
    text = SACKED.format(900)
    assert notes(text)[2] == "DUPLICATE_ACK"
    # The same block once more, and another window: this tells of nothing but the window.
    again = text + "0.4 server > client ACK seq=901 ack=101 win=800 blocks=104-107"
    assert notes(again)[3] == "WINDOW_UPDATE"
    assert converse(OPEN + text).segments[-1].sack == ((4, 7),)


def test_the_answer_to_a_keep_alive_is_no_window_update() -> None:
    assert notes(
        """
        0.1 client > server ACK seq=101 ack=901 data=abc
        0.2 server > client ACK seq=901 ack=104 win=1000
        9.0 client > server ACK seq=103 ack=901
        9.1 server > client ACK seq=901 ack=104 win=900
        9.2 server > client ACK seq=901 ack=104 win=800
        """
    )[2:] == ["KEEP_ALIVE", "KEEP_ALIVE_ACK", "WINDOW_UPDATE"]


@pytest.mark.parametrize("payload", ["", "len=1"])
def test_a_keep_alive_and_its_answer(payload: str) -> None:
    text = f"""
        0.1 client > server ACK seq=101 ack=901 data=abc
        0.2 server > client ACK seq=901 ack=104
        9.0 client > server ACK seq=103 ack=901 {payload}
        9.1 server > client ACK seq=901 ack=104
        """
    assert notes(text) == ["", "", "KEEP_ALIVE", "KEEP_ALIVE_ACK"]
    stream = converse(OPEN + text).client_to_server
    assert (stream.data, stream.overlaps_differ) == (b"abc", False)


def test_one_unacknowledged_byte_sent_again_is_no_keep_alive() -> None:
    assert notes(
        """
        0.1 client > server ACK seq=101 ack=901 data=a lost
        0.4 client > server ACK seq=101 ack=901 data=a
        """
    ) == ["LOST", "RETRANSMISSION TIMEOUT"]


def test_a_keep_alive_right_after_the_handshake_is_no_byte_of_the_stream() -> None:
    text = "9.0 client > server ACK seq=100 ack=901 len=1"
    assert notes(text) == ["KEEP_ALIVE"]
    assert converse(OPEN + text).client_to_server.data == b""


def test_windows_that_close_are_probed_and_open_again() -> None:
    assert notes(
        """
        0.1 client > server ACK seq=101 ack=901 data=abc
        0.2 server > client ACK seq=901 ack=104 win=0
        0.4 client > server ACK seq=103 ack=901
        0.5 server > client ACK seq=901 ack=104 win=0
        0.8 client > server ACK seq=104 ack=901 data=d
        0.9 server > client ACK seq=901 ack=104 win=0
        1.6 client > server ACK seq=104 ack=901 data=d
        1.7 server > client ACK seq=901 ack=105 win=500
        1.8 server > client ACK seq=901 ack=105 win=900
        """
    ) == [
        "",
        "ZERO_WINDOW",
        "ZERO_WINDOW_PROBE",
        "ZERO_WINDOW ZERO_WINDOW_PROBE_ACK",
        "ZERO_WINDOW_PROBE",
        "DUPLICATE_ACK ZERO_WINDOW ZERO_WINDOW_PROBE_ACK",
        "RETRANSMISSION ZERO_WINDOW_PROBE",
        "",
        "WINDOW_UPDATE",
    ]


def test_the_window_of_a_rst_says_nothing() -> None:
    assert notes("0.1 server > client RST,ACK seq=901 ack=101 win=0") == [""]


def test_a_copy_made_by_the_network_is_no_retransmission() -> None:
    text = """
        0.10 client > server ACK seq=101 ack=901 data=abc recv=0.11
        0.10 client > server ACK seq=101 ack=901 data=abc arrived recv=0.12
        """
    assert notes(text) == ["", "DUPLICATED"]
    stream = converse(OPEN + text).client_to_server
    assert (stream.data, stream.sent_bytes) == (b"abc", 3)


def test_a_segment_damaged_on_the_way_reaches_no_stream_and_no_state() -> None:
    text = """
        0.10 client > server FIN,ACK seq=101 ack=901 data=abc lost
        0.11 client > server FIN,ACK seq=101 ack=901 data=aXc arrived bad
        """
    conversation = converse(OPEN + text)
    assert notes(text) == ["LOST", "DAMAGED"]
    assert conversation.client_to_server.data == b""
    assert conversation.client_to_server.gaps == ((1, 4),)
    assert conversation.server_state.value == "ESTABLISHED"


def test_checksums_of_a_sender_that_are_never_right_are_taken_for_offloading() -> None:
    text = OPEN.replace("SYN seq=100", "SYN seq=100 bad").replace("ack=901", "ack=901 bad")
    conversation = converse(text + "0.10 client > server ACK seq=101 ack=901 data=abc bad")
    assert conversation.client_to_server.data == b"abc"
    assert conversation.checksums.left_to_card == (conversation.flow.a,)
    assert [s.notes for s in conversation.segments] == [frozenset()] * 4


def test_a_checksum_left_to_the_network_card_is_not_wrong() -> None:
    conversation = converse(OPEN + "0.10 client > server ACK seq=101 ack=901 data=abc left")
    assert conversation.client_to_server.data == b"abc"
    assert conversation.checksums.left_to_card == (conversation.flow.a,)
    assert conversation.segments[-1].notes == frozenset()


def test_a_wrong_checksum_changes_nothing_and_the_good_copy_is_the_first() -> None:
    text = """
        0.1 client > server PSH,ACK seq=101 ack=901 data=attack! bad
        0.2 client > server PSH,ACK seq=101 ack=901 data=correct
        0.3 server > client ACK seq=901 ack=108
        0.4 client > server RST seq=108 bad
        0.5 client > server FIN,ACK seq=999 ack=901 bad
        """
    conversation = converse(OPEN + text)
    assert notes(text) == ["WRONG_CHECKSUM", "", "", "WRONG_CHECKSUM", "WRONG_CHECKSUM"]
    stream = conversation.client_to_server
    assert (stream.data, stream.overlaps_differ, stream.sent_bytes) == (b"correct", False, 7)
    assert (conversation.resets, stream.fin) == ((), None)
    assert conversation.client_state.value == conversation.server_state.value == "ESTABLISHED"
    assert [s.seq for s in conversation.segments[3:]] == [1, 1, 1, 8, 899]


def test_a_syn_with_a_wrong_checksum_opens_nothing() -> None:
    conversation = converse(
        """
        0.01 client > server SYN seq=100 ws=7 bad
        0.02 client > server SYN seq=100 ws=2
        0.03 server > client SYN,ACK seq=900 ack=101 ws=1
        0.04 client > server ACK seq=101 ack=901
        """
    )
    assert conversation.handshake is not None
    assert conversation.handshake.syn == 2
    assert conversation.window_scale.client == 2
    assert conversation.segments[0].receiver_state == State.LISTEN
    assert conversation.segments[1].notes == frozenset()


def test_a_segment_that_was_only_seen_arriving_is_taken_as_sent_then() -> None:
    conversation = converse(OPEN + "0.10 client > server ACK seq=101 ack=901 data=abc arrived")
    assert conversation.segments[-1].notes == frozenset()
    assert conversation.client_to_server.sent_bytes == 3


def test_sequence_numbers_wrap_in_the_middle_of_everything() -> None:
    top = 2**32
    conversation = converse(
        f"""
        0.01 client > server SYN seq={top - 3}
        0.02 server > client SYN,ACK seq={top - 1} ack={top - 2}
        0.03 client > server ACK seq={top - 2} ack={top}
        0.04 client > server ACK seq={top + 2} ack={top} data=efgh
        0.05 client > server ACK seq={top - 2} ack={top} data=abcd
        0.06 client > server FIN,ACK seq={top + 6} ack={top}
        0.07 server > client ACK seq={top} ack={top + 7}
        """
    )
    assert conversation.client_to_server.data == b"abcdefgh"
    assert conversation.client_to_server.fin_acked == 7
    assert [s.seq for s in conversation.segments] == [0, 0, 1, 5, 1, 9, 1]
    assert conversation.segments[-1].ack == 10
    assert [s.notes for s in conversation.segments[3:5]] == [
        {Note.PREVIOUS_NOT_CAPTURED},
        {Note.OUT_OF_ORDER},
    ]


def test_positions_go_on_beyond_four_gigabytes() -> None:
    gigabyte = 2**30
    lines = [
        f"0.{k + 4} client > server ACK seq={101 + k * gigabyte} ack=901 len=1" for k in range(6)
    ]
    conversation = converse(OPEN + "\n".join(lines))
    assert [s.seq for s in conversation.segments[3:]] == [1 + k * gigabyte for k in range(6)]


GAPS = {
    "a lost segment, sent again": (
        """
        0.1 client > server ACK seq=101 ack=901 data=abc lost
        0.2 client > server ACK seq=104 ack=901 data=def
        0.3 client > server ACK seq=101 ack=901 data=abc
        """,
        (b"abcdef", ()),
    ),
    "a lost segment": (
        """
        0.1 client > server ACK seq=101 ack=901 data=abc
        0.2 client > server ACK seq=104 ack=901 data=def lost
        0.3 client > server ACK seq=107 ack=901 data=ghi
        """,
        (b"abc", ((4, 7),)),
    ),
    "the first bytes": ("0.1 client > server ACK seq=104 ack=901 data=def", (b"", ((1, 4),))),
    "a segment cut by the capture": (
        """
        0.1 client > server ACK seq=101 ack=901 data=abcdef cut=2
        0.2 client > server ACK seq=107 ack=901 data=ghi
        """,
        (b"ab", ((3, 7),)),
    ),
    "the last bytes, by the FIN": (
        """
        0.1 client > server ACK seq=101 ack=901 data=abc
        0.2 client > server FIN,ACK seq=106 ack=901
        """,
        (b"abc", ((4, 6),)),
    ),
    "the last bytes, by the peer's ACK": (
        """
        0.1 client > server ACK seq=101 ack=901 data=abc
        0.2 server > client ACK seq=901 ack=110
        """,
        (b"abc", ((4, 10),)),
    ),
    "none, though the FIN was acknowledged": (
        """
        0.1 client > server FIN,ACK seq=101 ack=901 data=abc
        0.2 server > client ACK seq=901 ack=105
        """,
        (b"abc", ()),
    ),
    "none, though the client goes on to number behind its FIN": (
        """
        0.1 client > server FIN,ACK seq=101 ack=901 data=abc
        0.2 server > client FIN,ACK seq=901 ack=105
        0.3 client > server ACK seq=105 ack=902
        """,
        (b"abc", ()),
    ),
}


@pytest.mark.parametrize(("text", "expected"), GAPS.values(), ids=GAPS)
def test_bytes_that_did_not_come_are_gaps(
    text: str, expected: tuple[bytes, tuple[tuple[int, int], ...]]
) -> None:
    stream = converse(OPEN + text).client_to_server
    assert (stream.data, stream.gaps) == expected


def test_bytes_behind_a_gap_are_counted() -> None:
    stream = converse(OPEN + GAPS["a lost segment"][0]).client_to_server
    assert (stream.length, stream.sent_bytes) == (6, 9)


def test_a_retransmission_with_other_bytes_is_reported_and_does_not_replace_the_first() -> None:
    stream = converse(
        OPEN
        + """
        0.1 client > server ACK seq=101 ack=901 data=abcd
        0.2 client > server ACK seq=103 ack=901 data=cXef
        """
    ).client_to_server
    assert (stream.data, stream.overlaps_differ) == (b"abcdef", True)


def test_midstream_a_capture_may_hold_bytes_from_before_its_first_segment() -> None:
    stream = converse(
        """
        0.1 client > server ACK seq=5003 ack=7000 data=def
        0.2 client > server ACK seq=5000 ack=7000 data=abc
        """
    ).client_to_server
    assert (stream.data, stream.start, stream.gaps) == (b"abcdef", -2, ())


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, int]]]:
    """A byte string and segments that carry all of it, in any order, any number of times."""
    data = draw(st.binary(min_size=1, max_size=60))
    cuts = draw(st.lists(st.integers(0, len(data)), max_size=8))
    edges = sorted({0, len(data), *cuts})
    parts = list(pairwise(edges))
    size = st.integers(0, len(data))
    extra = draw(st.lists(st.tuples(size, size).map(sorted).map(tuple), max_size=8))
    return data, draw(st.permutations(parts + [(s, e) for s, e in extra]))


@examples(100)
@given(deliveries(), st.integers(0, 2**32 - 1))
@example((b"\0", [(1, 1), (0, 0), (0, 1)]), 2**32 - 2)
def test_bytes_in_are_bytes_out(delivery: tuple[bytes, list[tuple[int, int]]], isn: int) -> None:
    data, parts = delivery
    lines = [
        f"0.01 client > server SYN seq={isn}",
        # Without it, 0 would acknowledge what comes next where the numbers wrap.
        f"0.02 server > client SYN,ACK seq=7 ack={(isn + 1) % 2**32}",
    ]
    lines += [
        f"{0.1 + position:.1f} client > server ACK seq={isn + 1 + start} ack=8 hex={part.hex()}"
        for position, (start, end) in enumerate(parts)
        for part in [data[start:end]]
    ]
    stream = converse("\n".join(lines)).client_to_server
    assert stream.data == data
    assert (stream.gaps, stream.overlaps_differ, stream.length) == ((), False, len(data))
    assert stream.sent_bytes == sum(end - start for start, end in parts)


near_the_edge = st.integers(0, 40).map(lambda n: (2**32 - 20 + n) % 2**32)
any_line = st.builds(
    "{}.{} {} {} seq={} ack={} win={} len={} {}".format,
    st.integers(0, 2),
    st.integers(0, 9),
    st.sampled_from(["client > server", "server > client"]),
    st.sampled_from(["SYN", "SYN,ACK", "ACK", "FIN,ACK", "RST", "RST,ACK", "-", "SYN,FIN,RST"]),
    near_the_edge | st.integers(0, 2**32 - 1),
    near_the_edge | st.integers(0, 2**32 - 1),
    st.sampled_from([0, 1000]),
    st.integers(0, 3),
    st.sampled_from(["", "lost", "arrived", "recv=1.5", "arrived bad", "cut=1"]),
)


@examples(150)
@given(st.lists(any_line, min_size=1, max_size=12))
def test_any_segments_at_all_are_analysed(lines: list[str]) -> None:
    for flow in group_flows(crossings("\n".join(lines))):
        conversation = analyse_tcp(flow)
        assert [s.crossing for s in conversation.segments] == [c.number for c in flow.crossings]
        for stream in (conversation.client_to_server, conversation.server_to_client):
            assert len(stream.data) <= stream.length
            assert all(start < end for start, end in stream.gaps)
