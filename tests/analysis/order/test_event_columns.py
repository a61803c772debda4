"""Events and edges in columns are the same to whoever looks at them."""

from __future__ import annotations

import pytest
from event_ids import event

from lab.analysis.order.event_columns import Edges, Events, FramePlaces
from lab.analysis.order.events import Event, EventPart

EVENTS = (
    Event(5, EventPart.DEPARTURE, event("f7"), "a"),
    Event(3, EventPart.ENTRY, event("client#1"), "b"),
    Event(9, EventPart.ARRIVAL, event("f7"), "b"),
    Event(8, EventPart.DEPARTURE, event("f9"), ""),
)


def test_events_are_a_sequence_of_what_was_put_in() -> None:
    found = Events(EVENTS)
    assert tuple(found) == EVENTS
    assert found == EVENTS
    assert found == EVENTS
    assert found == Events(EVENTS)
    assert found != EVENTS[:3]
    assert (found[1], found[-1], found[1:3]) == (EVENTS[1], EVENTS[3], EVENTS[1:3])
    assert hash(found) == hash(EVENTS)
    assert repr(found) == f"Events({[*EVENTS]!r})"
    with pytest.raises(IndexError):
        found[4]


def test_of_one_event_a_field_can_be_asked() -> None:
    found = Events(EVENTS)
    assert (found.time_ns(2), found.part(2)) == (9, EventPart.ARRIVAL)
    assert found.host_number(1) == found.host_number(2) != found.host_number(0)


def test_those_at_places_are_in_their_order() -> None:
    found = Events(EVENTS).at([2, 0])
    assert found == (EVENTS[2], EVENTS[0])
    assert len(Events(EVENTS).at([])) == 0


def test_a_time_may_be_any_number() -> None:
    far = (*EVENTS[:2], Event(2**64, EventPart.EXIT, event("client#1"), "b"), EVENTS[3])
    assert Events(far) == far
    assert Events(far).at([2, 1]) == (far[2], far[1])


def test_the_places_of_a_part_are_those_of_its_events() -> None:
    found = Events(EVENTS)
    assert dict(found.places_of(EventPart.DEPARTURE)) == {event("f7"): 0, event("f9"): 3}
    assert dict(found.places_of(EventPart.DROP)) == {}


def test_edges_are_a_sequence_of_pairs() -> None:
    pairs = ((0, 2), (1, 2))
    found = Edges([0, 1], [2, 2])
    assert tuple(found) == pairs
    assert found == pairs
    assert (found[1], found[:1], len(found)) == ((1, 2), ((0, 2),), 2)
    assert found != pairs[:1]
    assert hash(found) == hash(pairs)
    assert repr(found) == "Edges([(0, 2), (1, 2)])"


@pytest.mark.parametrize("names", [["f7", "f8", "f12"], ["f12", "f7"], ["f3"], []])
def test_frames_have_their_places_by_their_ids(names: list[str]) -> None:
    given = {event(name): place for place, name in enumerate(names)}
    found = FramePlaces(given.items())
    assert dict(found) == given
    assert len(found) == len(given)
    for missing in ("f1", "f10", "f99", "client#7", "state 7"):
        assert found.get(event(missing)) is None
        assert found.get(event(missing), 5) == 5
        with pytest.raises(KeyError):
            found[event(missing)]
