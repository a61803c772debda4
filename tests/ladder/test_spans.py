from __future__ import annotations

from collections import Counter
from itertools import pairwise

from event_ids import event

from lab.analysis.order.events import Event, EventPart, Order
from lab.ladder.spans import Span, spans
from lab.model.event import EventId, EventKind

KINDS = {
    "in": EventPart.ENTRY,
    "out": EventPart.EXIT,
    "leaves": EventPart.DEPARTURE,
    "comes": EventPart.ARRIVAL,
    "state": EventPart.STATE,
}


def id_of(name: str) -> EventId:
    """The first call of a program "a"; a frame "f1"."""
    return event(name) if name[1:] else EventId(EventKind.SYSTEM_CALL, 1, name)


def name_of(id: EventId) -> str:
    return id.program or str(id)


def spans_of(
    text: str, concurrent: frozenset[int] = frozenset(), places: range | None = None
) -> list[Span]:
    """ "a in, a out": what happened, in order."""
    events = tuple(
        Event(place, KINDS[each.split()[1]], id_of(each.split()[0]), "host")
        for place, each in enumerate(text.split(", "))
    )
    sightings = Counter(each.id for each in events)
    return list(spans(Order(events, concurrent, 0, 0, ()), lambda id: sightings[id] == 1, places))


def told(text: str) -> list[str]:
    return [
        f"{name_of(span.event.id)} {span.event.part.value}{' whole' * span.is_whole}"
        for span in spans_of(text)
    ]


def test_a_call_in_which_nothing_else_happens_is_one_span() -> None:
    assert told("a in, a out, b in, b out") == ["a entry whole", "b entry whole"]


def test_a_call_in_which_something_happens_is_two() -> None:
    assert told("a in, b in, b out, a out") == ["a entry", "b entry whole", "a exit"]


def test_a_frame_that_arrives_at_once_is_one_span() -> None:
    assert told("f1 leaves, f1 comes, f2 leaves, a in, f2 comes") == [
        "f1 departure whole",
        "f2 departure",
        "a entry",
        "f2 arrival",
    ]


def test_a_frame_seen_at_one_end_alone_is_one_span() -> None:
    assert told("f1 leaves, f2 comes") == ["f1 departure whole", "f2 arrival whole"]


def test_a_call_that_never_returns_is_not_whole() -> None:
    assert told("a in") == ["a entry"]


def test_a_state_is_a_span_of_its_own() -> None:
    assert told("a in, s state, a out") == ["a entry", "s state", "a exit"]


def test_a_span_is_concurrent_where_its_first_event_is() -> None:
    marked = spans_of("a in, b in, b out, a out", frozenset({1, 3}))
    assert [span.is_concurrent for span in marked] == [False, True, True]


def test_no_event_is_lost() -> None:
    for text in ("a in, a out", "a in, f1 leaves, f1 comes, a out, b in"):
        count = sum(2 if span.is_whole else 1 for span in spans_of(text))
        assert count == text.count(",") + 1
    assert all(a.event.time_ns < b.event.time_ns for a, b in pairwise(spans_of("a in, b in")))


def test_of_some_places_there_is_nothing_of_others() -> None:
    text = "a in, a out, b in, b out"
    assert [(s.place, s.is_whole) for s in spans_of(text)] == [(0, True), (2, True)]
    part = spans_of(text, places=range(1, 3))
    assert [(s.place, s.event.part, s.is_whole) for s in part] == [
        (1, EventPart.EXIT, False),
        (2, EventPart.ENTRY, False),
    ]
