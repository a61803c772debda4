from __future__ import annotations

import pytest
import recorded as r
import traced_tcp as w

from lab.analysis.correlate.carriers import Carriers
from lab.model.claim import frame_ids
from lab.model.event import frame_id


def carriers(edit: r.Edit = lambda recording: recording, from_client: bool = True) -> Carriers:
    (conversation,) = w.timeline_of(edit(w.wire())).conversations
    return Carriers(conversation, from_client)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 1, (6,)),
        (0, 7, (6,)),
        (6, 8, (6, 8)),
        (7, 33, (8,)),
        (0, 48, (6, 8, 10)),
        (5, 5, ()),
        (48, 50, ()),
    ],
)
def test_the_segments_of_bytes_are_those_that_first_carried_them(
    start: int, end: int, expected: tuple[int, ...]
) -> None:
    assert carriers().first_to_carry(start, end) == frame_ids(expected)


@pytest.mark.parametrize(("end", "expected"), [(1, 6), (7, 6), (8, 8), (33, 8), (48, 10)])
def test_bytes_can_be_read_when_all_before_them_have_arrived(end: int, expected: int) -> None:
    assert carriers().completed_by(end) == frame_id(expected)


def test_what_never_arrived_completes_nothing() -> None:
    lost = carriers(r.lost(8))
    assert lost.completed_by(7) == frame_id(6)
    assert lost.completed_by(8) is None
    assert lost.completed_by(48) is None
    assert lost.first_to_carry(7, 33) == frame_ids([8])


def test_segments_that_arrive_in_another_order_are_readable_with_the_last() -> None:
    swapped = carriers(r.moved(8, after=10))
    assert swapped.completed_by(7) == frame_id(6)
    (last,) = {swapped.completed_by(8), swapped.completed_by(48)}
    assert last is not None
    assert swapped.first_to_carry(7, 33) == (last,)
    assert last is not None
    assert swapped.first_to_carry(33, 48) == frame_ids([last.number - 1])
    assert swapped.count == 3


def test_without_its_syn_a_stream_has_no_places() -> None:
    cut = carriers(r.without(3))
    assert not cut.is_whole
    assert cut.first_to_carry(0, 7) == ()
    assert cut.completed_by(7) is None


def test_the_other_way_is_another_stream() -> None:
    back = carriers(from_client=False)
    assert (back.left_end, back.count) == (43, 3)
    assert back.first_to_carry(0, 43) == frame_ids((13, 15, 17))
