"""Frames that are stored are the same to whoever looks at them."""

from __future__ import annotations

import pickle
from array import array
from collections import Counter

import pytest
from stored import Reading, stored, stored_and_read

from lab.records import Direction, Frame, FrameColumns, LinkType, StoredFrames
from lab.records.stored_frames import (
    count_by_point,
    cut_count,
    lengths_of,
    origins_of,
    selected,
    times_of,
)

OUT, IN = Direction.OUT, Direction.IN
FRAMES = (
    Frame(10, "a/eth0", OUT, b"one", 3),
    Frame(20, "b/eth0", IN, b"one", 3),
    Frame(20, "b/eth0", OUT, b"other", 900),
    Frame(30, "a/eth0", IN, b"other", 5),
)


def test_they_are_a_sequence_of_the_frames() -> None:
    found = stored(FRAMES)
    assert len(found) == 4
    assert tuple(found) == FRAMES
    assert found == FRAMES
    assert found == FRAMES
    assert found[2] == FRAMES[2]
    assert found[-1] == FRAMES[-1]
    assert found[1:3] == FRAMES[1:3]
    assert found != FRAMES[:3]
    assert found != (*FRAMES[:3], FRAMES[0])
    assert hash(found) == hash(FRAMES)
    with pytest.raises(IndexError):
        found[4]


def test_bytes_are_read_when_a_frame_is_asked_for() -> None:
    found, reading = stored_and_read(FRAMES)
    assert sum(lengths_of(found)) == 16
    assert (cut_count(found), count_by_point(found)["b/eth0"], len(found[:2])) == (1, 2, 2)
    assert reading.times == 0
    assert found[1].data == b"one"
    assert reading.times == 1


def test_what_is_asked_of_all_is_what_the_frames_have() -> None:
    for every in (FRAMES, FRAMES[:1], ()):
        found = stored(every)
        assert [*times_of(found)] == [*times_of(every)] == [each.time_ns for each in every]
        assert [*lengths_of(found)] == [*lengths_of(every)] == [len(each.data) for each in every]
        assert cut_count(found) == cut_count(every)
        assert count_by_point(found) == count_by_point(every) == Counter(f.point for f in every)
        assert dict.fromkeys(origins_of(found)) == dict.fromkeys(origins_of(every))
        assert selected(found, [0][: len(every)]) == selected(every, [0][: len(every)])
    assert next(iter(origins_of(FRAMES))) == ("a/eth0", LinkType.ETHERNET)


def test_frames_may_be_added_by_columns() -> None:
    reading = Reading(b"oneoneother")
    columns = FrameColumns(["a/eth0", "b/eth0"], reading)
    columns.add(10, 0, 3, 0, 0, 3, is_outgoing=True)
    columns.add_all(
        array("q", [20, 20]),
        array("H", [2, 3]),
        array("I", [3, 900]),
        array("Q", [3, 6]),
        array("I", [3, 5]),
    )
    assert StoredFrames(columns, range(3)) == FRAMES[:3]


def test_those_at_places_are_in_their_order() -> None:
    found = stored(FRAMES).at([3, 0])
    assert found == (FRAMES[3], FRAMES[0])
    assert (found.data(0), found.wire_bytes(0), found.row(0)) == (b"other", 5, 3)
    assert found.columns.data(found.row(1)) == b"one"
    assert [found.point(0), found.point(1)] == ["a/eth0", "a/eth0"]
    assert [*found.raw()] == [(30, 0, 5, b"other"), (10, 1, 3, b"one")]
    by_row = found.places_by_row()
    assert (by_row[3], by_row[0]) == (0, 1)


def test_a_frame_leaves_before_any_arrives_at_that_time() -> None:
    late = (FRAMES[3], *FRAMES[:3])
    assert stored(late).departures_first() == (FRAMES[0], FRAMES[2], FRAMES[1], FRAMES[3])
    assert stored(()).departures_first() == ()


def test_in_order_they_are_by_time_and_else_as_they_were_added() -> None:
    found = stored((FRAMES[3], *FRAMES[:3])).columns.in_order()
    assert found == (*FRAMES[:3], FRAMES[3])


def test_other_bytes_can_be_kept_for_one() -> None:
    found = stored(FRAMES)
    found.columns.keep(b"tagged")
    assert found[-1] == Frame(30, "a/eth0", IN, b"tagged", 5)
    assert found[:3] == FRAMES[:3]


def test_another_process_gets_the_frames() -> None:
    found = pickle.loads(pickle.dumps(stored(FRAMES)))
    assert found == FRAMES
    assert not isinstance(found, StoredFrames)
