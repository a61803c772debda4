from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.order.moments import Moment, MomentKind
from lab.analysis.order.topological import sort_moments

ENTRY, EXIT = MomentKind.ENTRY, MomentKind.EXIT
DEPARTURE, ARRIVAL = MomentKind.DEPARTURE, MomentKind.ARRIVAL


def moment(time_ns: int, event: str, kind: MomentKind = ENTRY, host: str = "client") -> Moment:
    return Moment(time_ns, kind, event, host)


def events(moments: list[Moment], edges: list[tuple[int, int]]) -> list[str]:
    return [each.event for each in sort_moments(moments, edges, 0).moments]


def test_moments_without_causes_are_in_order_of_time() -> None:
    assert events([moment(3, "c"), moment(1, "a"), moment(2, "b")], []) == ["a", "b", "c"]


def test_at_the_same_time_causes_come_first() -> None:
    moments = [moment(5, "effect"), moment(5, "cause"), moment(5, "other")]
    order = sort_moments(moments, [(1, 0)], 0)
    assert [each.event for each in order.moments] == ["cause", "effect", "other"]
    assert order.violations == ()


def test_an_effect_seen_before_its_cause_is_told_and_put_behind_it() -> None:
    moments = [moment(2_000, "client#4"), moment(750, "f3", DEPARTURE)]
    order = sort_moments(moments, [(0, 1)], 0)
    assert [each.event for each in order.moments] == ["client#4", "f3"]
    assert order.violations == (
        "f3 left 1.250 µs before client#4 was entered, which must come first",
    )


def test_an_edge_counts_once() -> None:
    assert sort_moments([moment(1, "a"), moment(2, "b")], [(0, 1), (0, 1)], 0).edges == 1


def test_a_circle_is_told_and_the_rest_keeps_its_order() -> None:
    moments = [moment(1, "a"), moment(2, "b"), moment(2, "c"), moment(2, "d"), moment(3, "e")]
    order = sort_moments(moments, [(1, 2), (2, 3), (3, 1), (3, 4), (0, 1)], 0)
    assert [each.event for each in order.moments] == ["a", "b", "c", "d", "e"]
    assert order.violations == ("b was entered after what only comes after it",)


def test_neighbours_closer_than_the_slack_are_concurrent() -> None:
    moments = [moment(0, "a"), moment(9, "b"), moment(19, "c")]
    assert sort_moments(moments, [], 10).concurrent == {1}


def test_a_cause_and_its_effect_are_not_concurrent() -> None:
    moments = [moment(0, "a"), moment(1, "b"), moment(2, "c")]
    assert sort_moments(moments, [(0, 1)], 10).concurrent == {2}


def test_one_capture_point_knows_what_it_saw_first() -> None:
    moments = [moment(0, "f1", ARRIVAL), moment(1, "f2", ARRIVAL), moment(2, "f3", DEPARTURE)]
    assert sort_moments(moments, [], 10).concurrent == {2}


def test_frames_are_told_apart_by_their_own_stamps_whatever_traces_the_calls() -> None:
    moments = [moment(0, "f1", ARRIVAL), moment(5_000, "f2", DEPARTURE), moment(9_000, "x")]
    assert sort_moments(moments, [], 20_000).concurrent == {2}


graphs = st.lists(st.integers(0, 50), min_size=1, max_size=12).flatmap(
    lambda times: st.tuples(
        st.just(times),
        st.sets(st.tuples(*[st.integers(0, len(times) - 1)] * 2).filter(lambda e: e[0] != e[1])),
    )
)


@given(graphs)
def test_whatever_the_edges_every_moment_is_there_and_violations_are_theirs(
    graph: tuple[list[int], set[tuple[int, int]]],
) -> None:
    times, edges = graph
    order = sort_moments([moment(time, str(at)) for at, time in enumerate(times)], edges, 3)
    assert sorted(int(each.event) for each in order.moments) == list(range(len(times)))
    early = sum(times[effect] < times[cause] for cause, effect in edges)
    assert sum("must come first" in each for each in order.violations) == early


@given(graphs)
def test_edges_without_a_circle_are_all_kept(
    graph: tuple[list[int], set[tuple[int, int]]],
) -> None:
    times, edges = graph
    forward = {(min(edge), max(edge)) for edge in edges}
    order = sort_moments([moment(time, str(at)) for at, time in enumerate(times)], forward, 3)
    place = {int(each.event): at for at, each in enumerate(order.moments)}
    assert all(place[cause] < place[effect] for cause, effect in forward)
    assert not any("only comes after" in each for each in order.violations)
