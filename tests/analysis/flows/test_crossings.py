from __future__ import annotations

from itertools import pairwise

from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.flows.crossings import crossings_of_capture, join_crossings
from lab.records import CapturePoint, Direction, Frame

OUT, IN, UNKNOWN = Direction.OUT, Direction.IN, Direction.UNKNOWN
A = CapturePoint("a/eth0", "a", "eth0", "wire", 0, 0)
B = CapturePoint("b/left", "b", "left", "wire", 0, 0)
B2 = CapturePoint("b/right", "b", "right", "other wire", 0, 0)
C = CapturePoint("c/eth0", "c", "eth0", "other wire", 0, 0)
LO = CapturePoint("a/lo", "a", "lo", "a's lo", 0, 0)
POINTS = (A, B, B2, C, LO)

Told = tuple[str, str, int | None, int | None]


def frame(time_ns: int, point: CapturePoint, direction: Direction, text: str = "x") -> Frame:
    data = bytes(14) + text.encode()
    return Frame(time_ns, point.name, direction, data, len(data))


def joined(*frames: Frame) -> list[Told]:
    crossings = join_crossings(frames, POINTS)
    assert [crossing.number for crossing in crossings] == list(range(1, len(crossings) + 1))
    return [(c.sender, c.receiver, c.sent_ns, c.received_ns) for c in crossings]


def test_a_frame_seen_leaving_and_arriving_is_one_crossing() -> None:
    assert joined(frame(1, A, OUT), frame(3, B, IN)) == [("a", "b", 1, 3)]
    assert joined(frame(1, B, OUT), frame(3, A, IN)) == [("b", "a", 1, 3)]


def test_both_ends_at_the_same_nanosecond_are_one_crossing_in_either_order() -> None:
    left, came = frame(5, A, OUT), frame(5, B, IN)
    assert joined(left, came) == joined(came, left) == [("a", "b", 5, 5)]


def test_a_frame_that_never_arrives_is_lost() -> None:
    (crossing,) = join_crossings([frame(1, A, OUT)], POINTS)
    assert crossing.lost
    assert (crossing.sender, crossing.receiver, crossing.time_ns) == ("a", "b", 1)


def test_a_frame_that_was_not_seen_leaving_only_arrives() -> None:
    (crossing,) = join_crossings([frame(4, B, IN)], POINTS)
    assert not crossing.lost
    assert (crossing.sender, crossing.sent_ns, crossing.time_ns) == ("a", None, 4)


def test_an_arrival_before_the_departure_is_no_arrival_of_it() -> None:
    assert joined(frame(2, A, OUT), frame(1, B, IN)) == [("a", "b", None, 1), ("a", "b", 2, None)]


def test_equal_frames_arrive_in_the_order_they_left() -> None:
    frames = [frame(1, A, OUT), frame(2, A, OUT), frame(3, B, IN), frame(4, B, IN)]
    assert joined(*frames) == [("a", "b", 1, 3), ("a", "b", 2, 4)]


def test_a_copy_made_on_the_way_only_arrives() -> None:
    frames = [frame(1, A, OUT), frame(3, B, IN), frame(4, B, IN)]
    assert joined(*frames) == [("a", "b", 1, 3), ("a", "b", None, 4)]


def test_frames_with_other_bytes_are_not_joined() -> None:
    frames = [frame(1, A, OUT, "sent"), frame(2, B, IN, "damaged")]
    assert joined(*frames) == [("a", "b", 1, None), ("a", "b", None, 2)]


def test_equal_frames_on_two_links_are_two_crossings() -> None:
    frames = [frame(1, A, OUT), frame(2, B, IN), frame(3, B2, OUT), frame(4, C, IN)]
    assert joined(*frames) == [("a", "b", 1, 2), ("b", "c", 3, 4)]


def test_equal_frames_both_ways_are_not_mixed_up() -> None:
    frames = [frame(1, A, OUT), frame(1, B, OUT), frame(2, A, IN), frame(3, B, IN)]
    assert sorted(joined(*frames)) == [("a", "b", 1, 3), ("b", "a", 1, 2)]


def test_a_frame_on_lo_leaves_and_arrives_at_the_same_point() -> None:
    assert joined(frame(1, LO, OUT), frame(2, LO, IN)) == [("a", "a", 1, 2)]


def test_a_foreign_capture_sees_each_frame_once() -> None:
    crossings = crossings_of_capture([frame(1, A, UNKNOWN), frame(9, A, OUT)])
    assert [(c.number, c.sender, c.sent_ns, c.received_ns) for c in crossings] == [
        (1, "", 1, 1),
        (2, "", 9, 9),
    ]


@examples(80)
@given(
    st.lists(
        st.builds(
            frame,
            st.integers(0, 9),
            st.sampled_from(POINTS),
            st.sampled_from(Direction),
            st.sampled_from("xy"),
        ),
        max_size=14,
    )
)
def test_every_frame_is_in_just_one_crossing_and_none_arrives_before_it_left(
    frames: list[Frame],
) -> None:
    crossings = join_crossings(frames, POINTS)
    times = [t for c in crossings for t in (c.sent_ns, c.received_ns) if t is not None]
    assert sorted(times) == sorted(frame.time_ns for frame in frames)
    for crossing in crossings:
        if crossing.sent_ns is not None and crossing.received_ns is not None:
            assert crossing.sent_ns <= crossing.received_ns
    assert all(first.time_ns <= then.time_ns for first, then in pairwise(crossings))
