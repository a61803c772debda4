"""Pages of the kernel's trace: events and their times, and what was missed."""

from __future__ import annotations

import struct
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_bytes import (
    HEADER_EVENT,
    HEADER_PAGE,
    MISSED,
    event,
    extend,
    layout,
    padding,
    page,
    stamp,
)

from lab.errors import InstrumentError
from lab.kernel.trace.tracefs.pages import parse_page_layout, parse_pages

NOW = 1_795_349_076_714_785_302  # above 2**59: its upper bits are not in a time stamp
A, B = b"aaaa", b"bbbbbbbb"


def test_events_have_the_pages_time_and_what_was_between_them() -> None:
    data = page(NOW, event(A), event(B, 300), event(A, 5))
    assert parse_pages(layout(), data) == ([(NOW, A), (NOW + 300, B), (NOW + 305, A)], 0)


def test_pages_follow_each_other() -> None:
    data = page(NOW, event(A, 1)) + page(NOW + 50) + page(NOW + 100, event(B, 2))
    assert parse_pages(layout(), data)[0] == [(NOW + 1, A), (NOW + 102, B)]


def test_an_event_may_have_its_length_in_a_word_of_its_own() -> None:
    large = bytes(range(200))
    data = page(NOW, event(A, 1, long=True), event(large, 2), event(B, 3))
    assert parse_pages(layout(), data)[0] == [(NOW + 1, A), (NOW + 3, large), (NOW + 6, B)]


def test_a_time_extend_holds_what_27_bits_cannot() -> None:
    gap = (1 << 40) + 12345
    data = page(NOW, event(A), extend(gap), event(B, 7))
    assert parse_pages(layout(), data)[0] == [(NOW, A), (NOW + gap + 7, B)]


def test_a_time_stamp_is_a_time_without_its_upper_bits() -> None:
    data = page(NOW, event(A), stamp(NOW + 999), event(B, 1))
    assert parse_pages(layout(), data)[0] == [(NOW, A), (NOW + 1000, B)]


def test_a_time_stamp_may_have_wrapped_since_the_page_began() -> None:
    before = (4 << 59) - 10
    data = page(before, event(A), stamp(before + 30), event(B))
    assert parse_pages(layout(), data)[0] == [(before, A), (before + 30, B)]


def test_a_discarded_event_is_passed_over_with_its_time() -> None:
    data = page(NOW, event(A, 1), padding(24, 10), event(B, 2))
    assert parse_pages(layout(), data)[0] == [(NOW + 1, A), (NOW + 13, B)]


def test_padding_without_a_time_ends_the_page() -> None:
    data = page(NOW, event(A, 1), struct.pack("<I", 29), event(B, 2))
    assert parse_pages(layout(), data)[0] == [(NOW + 1, A)]


def test_missed_events_are_counted_where_the_kernel_says_how_many() -> None:
    data = page(NOW, event(A), missed=1234) + page(NOW + 9, event(B))
    assert parse_pages(layout(), data) == ([(NOW, A), (NOW + 9, B)], 1234)


def test_missed_events_count_as_one_where_it_does_not() -> None:
    assert parse_pages(layout(), page(NOW, event(A), flags=MISSED)) == ([(NOW, A)], 1)


def test_no_room_for_the_count_is_no_count() -> None:
    full = [event(bytes(76))] * 51  # 80 bytes each: 4080
    data = page(NOW, *full, flags=MISSED | 1 << 30)
    events, missed = parse_pages(layout(), data)
    assert (len(events), missed) == (51, 1)


def test_an_empty_trace_has_no_events() -> None:
    assert parse_pages(layout(), b"") == ([], 0)


WHOLE = page(NOW, event(A, 1), event(B, 2), extend(1 << 30), event(bytes(200), 3), stamp(NOW + 9))


def test_part_of_a_page_is_refused() -> None:
    for length in range(1, 4096):
        with pytest.raises(InstrumentError, match="no whole pages"):
            parse_pages(layout(), WHOLE[:length])


def committed(data: bytes) -> int:
    return int(struct.unpack_from("<Q", data, 8)[0])


def test_a_page_that_says_it_ends_earlier_is_refused_or_has_fewer_events() -> None:
    whole, _ = parse_pages(layout(), WHOLE)
    for length in range(committed(WHOLE) - 8):  # the stamp at the end is no event
        cut = WHOLE[:8] + struct.pack("<Q", length) + WHOLE[16:]
        try:
            events, _ = parse_pages(layout(), cut)
        except InstrumentError:
            continue
        assert events == whole[: len(events)]
        assert len(events) < len(whole)


def test_a_page_that_says_it_holds_more_than_a_page_is_refused() -> None:
    with pytest.raises(InstrumentError, match="claims 4081 bytes"):
        parse_pages(layout(), page(NOW, flags=4081))


def test_an_event_that_reaches_beyond_its_page_is_refused() -> None:
    with pytest.raises(InstrumentError, match="beyond its page"):
        parse_pages(layout(), page(NOW, struct.pack("<I", 28) + A))


@given(st.binary(max_size=300), st.integers(0, 0xFFFFFFFF))
def test_any_bytes_are_events_or_refused(data: bytes, flags: int) -> None:
    with suppress(InstrumentError):
        parse_pages(layout(), page(NOW, data, flags=flags & ~0xFFF))


@given(st.lists(st.tuples(st.binary(min_size=4, max_size=300), st.integers(0, 1 << 45))))
def test_events_written_are_events_read(wanted: list[tuple[bytes, int]]) -> None:
    data, expected, now = b"", [], NOW
    for record, gap in wanted:
        words = extend(gap) + event(record) if gap >= 1 << 27 else event(record, gap)
        data += page(now, words)
        now += gap
        expected.append((now, record + bytes(-len(record) % 4)))
    assert parse_pages(layout(), data) == (expected, 0)


def test_the_layout_is_the_kernels_own() -> None:
    larger = HEADER_PAGE.replace("size:4080", "size:65520")
    assert parse_page_layout(larger, HEADER_EVENT).page_bytes == 65536
    with pytest.raises(InstrumentError, match="a layout that the lab cannot read"):
        parse_page_layout(HEADER_PAGE, HEADER_EVENT.replace("27 bits", "26 bits"))
    with pytest.raises(InstrumentError, match="a layout that the lab cannot read"):
        parse_page_layout(HEADER_PAGE.replace("commit", "comet"), HEADER_EVENT)


def test_a_hundred_thousand_events_take_less_than_half_a_second() -> None:
    one = page(NOW, *[event(bytes(64), 1000)] * 60)
    data = one * (100_000 // 60)
    best = min(_parse_s(data) for _ in range(3))
    assert best < 0.5


def _parse_s(data: bytes) -> float:
    began = time.process_time()
    parse_pages(layout(), data)
    return time.process_time() - began
