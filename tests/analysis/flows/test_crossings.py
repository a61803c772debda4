from __future__ import annotations

from itertools import pairwise

from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.flows.crossings import (
    crossings_of_capture,
    crossings_of_file,
    join_crossings,
)
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


def test_equal_frames_are_told_apart_however_many_are_on_their_way() -> None:
    departures = [frame(at, A, OUT) for at in (1, 2, 3, 6, 7)]
    arrivals = [frame(at, B, IN) for at in (4, 5, 8, 9)]
    assert joined(*departures, *arrivals) == [
        ("a", "b", 1, 4), ("a", "b", 2, 5), ("a", "b", 3, 8), ("a", "b", 6, 9), ("a", "b", 7, None)
    ]  # fmt: skip


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


def of_file(*frames: Frame) -> list[tuple[str, int | None, int | None]]:
    return [
        (c.packet.frame.data[14:].decode(), c.sent_ns, c.received_ns)
        for c in crossings_of_file(frames)[0]
    ]


def test_crossings_of_a_file_have_the_places_of_their_frames() -> None:
    frames = [frame(5, B, IN), frame(9, A, OUT), frame(4, A, OUT), frame(8, A, IN, "other")]
    crossings, places = crossings_of_file(frames)
    assert [c.packet.frame for c in crossings] == [frames[place] for place in places]
    assert crossings_of_file(frames[:1])[1] == range(1)


def test_one_points_frames_keep_the_files_order_whatever_their_times() -> None:
    times = (10, 11, 2, 2, 1)
    for direction in (UNKNOWN, OUT):
        frames = [frame(time, A, direction, str(n)) for n, time in enumerate(times)]
        assert of_file(*frames) == [(str(n), time, time) for n, time in enumerate(times)]


def test_a_clock_that_is_set_back_leaves_the_order_of_each_point() -> None:
    # Both ends of a wire at one machine; the clock is set back by 100 between "b" and "c".
    story = [
        frame(1000, A, OUT, "a"), frame(1001, B, IN, "a"),
        frame(1010, B, OUT, "b"), frame(1011, A, IN, "b"),
        frame(920, A, OUT, "c"), frame(921, B, IN, "c"),
        frame(930, B, OUT, "d"), frame(931, A, IN, "d"),
    ]  # fmt: skip
    assert of_file(*story) == [
        ("a", 1000, 1001), ("b", 1010, 1011), ("c", 920, 921), ("d", 930, 931),
    ]  # fmt: skip


def test_points_that_follow_each_other_in_the_file_are_put_beside_each_other() -> None:
    at_a = [frame(1, A, OUT, "a"), frame(11, A, IN, "b")]
    at_b = [frame(3, B, IN, "a"), frame(9, B, OUT, "b")]
    assert of_file(*at_a, *at_b) == of_file(*at_b, *at_a) == [("a", 1, 3), ("b", 9, 11)]


def test_equal_times_at_one_point_keep_the_files_order() -> None:
    came, left = frame(5, A, IN, "question"), frame(5, A, OUT, "answer")
    elsewhere = frame(9, B, IN, "answer")
    assert of_file(came, left, elsewhere) == [("question", None, 5), ("answer", 5, 9)]


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from((A, B)), st.booleans())))
@examples(100)
def test_no_point_ever_sees_its_frames_in_another_order(
    seen: list[tuple[int, CapturePoint, bool]],
) -> None:
    frames = [
        frame(time, point, OUT if out else IN, f"{point.name} {n}")
        for n, (time, point, out) in enumerate(seen)
    ]
    shown = [text for text, _, _ in of_file(*frames)]
    for point in (A, B):
        texts = [each.data[14:].decode() for each in frames if each.point == point.name]
        assert [text for text in shown if text.startswith(point.name)] == texts
