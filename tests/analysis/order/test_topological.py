from __future__ import annotations

from event_ids import event
from hypothesis import given
from hypothesis import strategies as st

from lab.analysis.order.events import Event, EventPart
from lab.analysis.order.topological import sort_events
from lab.model.event import EventId, EventKind

ENTRY, EXIT = EventPart.ENTRY, EventPart.EXIT
DEPARTURE, ARRIVAL = EventPart.DEPARTURE, EventPart.ARRIVAL


def happened(time_ns: int, what: str, part: EventPart = ENTRY, host: str = "client") -> Event:
    """What happened to a frame, "f3", or to the first call of a program, "a"."""
    id = event(what) if what[0] == "f" or "#" in what else EventId(EventKind.SYSTEM_CALL, 1, what)
    return Event(time_ns, part, id, host)


def sorted_programs(given_events: list[Event], edges: list[tuple[int, int]]) -> list[str]:
    return [each.id.program for each in sort_events(given_events, edges, 0).events]


def test_events_without_causes_are_in_order_of_time() -> None:
    assert sorted_programs([happened(3, "c"), happened(1, "a"), happened(2, "b")], []) == [
        "a",
        "b",
        "c",
    ]


def test_at_the_same_time_causes_come_first() -> None:
    given_events = [happened(5, "effect"), happened(5, "cause"), happened(5, "other")]
    order = sort_events(given_events, [(1, 0)], 0)
    assert [each.id.program for each in order.events] == ["cause", "effect", "other"]
    assert order.violations == ()


def test_an_effect_seen_before_its_cause_is_reported_and_put_behind_it() -> None:
    given_events = [happened(2_000, "client#4"), happened(750, "f3", DEPARTURE)]
    order = sort_events(given_events, [(0, 1)], 0)
    assert [str(each.id) for each in order.events] == ["client#4", "f3"]
    assert order.violations == (
        "f3 left 1.250 µs before client#4 was entered, which must come first",
    )


def test_an_edge_counts_once() -> None:
    assert sort_events([happened(1, "a"), happened(2, "b")], [(0, 1), (0, 1)], 0).edges == 1


def test_a_circle_is_reported_and_the_rest_keeps_its_order() -> None:
    given_events = [
        happened(1, "a"),
        happened(2, "b"),
        happened(2, "c"),
        happened(2, "d"),
        happened(3, "e"),
    ]
    order = sort_events(given_events, [(1, 2), (2, 3), (3, 1), (3, 4), (0, 1)], 0)
    assert [each.id.program for each in order.events] == ["a", "b", "c", "d", "e"]
    assert order.violations == ("b#1 was entered after what only comes after it",)


def test_neighbours_closer_than_the_slack_are_concurrent() -> None:
    given_events = [happened(0, "a"), happened(9, "b"), happened(19, "c")]
    assert sort_events(given_events, [], 10).concurrent == {1}


def test_a_cause_and_its_effect_are_not_concurrent() -> None:
    given_events = [happened(0, "a"), happened(1, "b"), happened(2, "c")]
    assert sort_events(given_events, [(0, 1)], 10).concurrent == {2}


def test_one_capture_point_knows_what_it_saw_first() -> None:
    given_events = [
        happened(0, "f1", ARRIVAL),
        happened(1, "f2", ARRIVAL),
        happened(2, "f3", DEPARTURE),
    ]
    assert sort_events(given_events, [], 10).concurrent == {2}


def test_frames_are_distinguished_by_their_own_stamps_whatever_traces_the_calls() -> None:
    given_events = [
        happened(0, "f1", ARRIVAL),
        happened(5_000, "f2", DEPARTURE),
        happened(9_000, "x"),
    ]
    assert sort_events(given_events, [], 20_000).concurrent == {2}


graphs = st.lists(st.integers(0, 50), min_size=1, max_size=12).flatmap(
    lambda times: st.tuples(
        st.just(times),
        st.sets(st.tuples(*[st.integers(0, len(times) - 1)] * 2).filter(lambda e: e[0] != e[1])),
    )
)


@given(graphs)
def test_whatever_the_edges_every_event_is_there_and_violations_are_theirs(
    graph: tuple[list[int], set[tuple[int, int]]],
) -> None:
    times, edges = graph
    order = sort_events([happened(time, str(at)) for at, time in enumerate(times)], edges, 3)
    assert sorted(int(each.id.program) for each in order.events) == list(range(len(times)))
    early = sum(times[effect] < times[cause] for cause, effect in edges)
    assert sum("must come first" in each for each in order.violations) == early


@given(graphs)
def test_edges_without_a_circle_are_all_kept(
    graph: tuple[list[int], set[tuple[int, int]]],
) -> None:
    times, edges = graph
    forward = {(min(edge), max(edge)) for edge in edges}
    order = sort_events([happened(time, str(at)) for at, time in enumerate(times)], forward, 3)
    place = {int(each.id.program): at for at, each in enumerate(order.events)}
    assert all(place[cause] < place[effect] for cause, effect in forward)
    assert not any("only comes after" in each for each in order.violations)
