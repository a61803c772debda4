from __future__ import annotations

import numpy as np

from lab.pcap.bulk.bulk_reading import BulkReading, padded
from lab.records.bulk.batch import PADDING_BYTES


def test_what_is_padded_has_room_behind_it_and_is_whole_words() -> None:
    for size in range(20):
        array = padded(bytes([7]) * size, PADDING_BYTES)
        assert array[:size].tolist() == [7] * size
        assert len(array) % 8 == 0 and not array[size:].any()
        assert len(array) >= size + PADDING_BYTES


def test_interfaces_of_one_name_are_one_point() -> None:
    reading = BulkReading()
    assert [reading.point(name) for name in ("a", "b", "a")] == [0, 1, 0]
    assert reading.points == ["a", "b"]


def test_packets_of_links_that_are_not_dissected_are_counted_by_point() -> None:
    reading = BulkReading()
    points = [reading.point(name) for name in ("a", "b", "a", "a")]
    column = np.arange(4, dtype=np.int64)
    links = np.array([220, 1, 220, 252])  # 252 is for notes, of which nothing is said
    batch = reading.take(
        padded(bytes(8), 8),
        column,
        column,
        column,
        column,
        np.array(points),
        links,
        column * 0,
        100,
    )
    assert (batch.numbers.tolist(), batch.places.tolist()) == ([2], [101])
    (left_out,) = reading.capture("x", "", stopped=False).left_out
    assert (left_out.point, left_out.packets, left_out.first) == ("a", 2, 1)
