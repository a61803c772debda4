"""Where the events of a step are, by what they are of."""

from __future__ import annotations

from collections import Counter
from collections.abc import MutableMapping
from dataclasses import FrozenInstanceError, fields
from typing import cast

import pytest
import traced_tcp as w
from event_ids import event

from lab.analysis.correlate.evidence import Evidence, gather_evidence
from lab.analysis.order.events import EventPart
from lab.analysis.order.places import EventPlaces, place_events


def evidence() -> Evidence:
    timeline = w.timeline_of(w.traced(w.times_by(w.earliest)))
    return gather_evidence(crossings=timeline.crossings, system_calls=timeline.system_calls)


def test_each_event_is_at_the_place_that_its_part_has() -> None:
    places = place_events(evidence())
    by_part = {
        EventPart.ENTRY: places.entries,
        EventPart.EXIT: places.exits,
        EventPart.DEPARTURE: places.departures,
        EventPart.ARRIVAL: places.arrivals,
    }
    for part, of_part in by_part.items():
        for id, place in of_part.items():
            assert (places.events[place].part, places.events[place].id) == (part, id)
    counted = Counter(each.part for each in places.events)
    assert counted == {part: len(of_part) for part, of_part in by_part.items()}
    assert min(counted.values()) > 10


def test_what_was_not_seen_has_no_place() -> None:
    seen = evidence()
    places = place_events(seen)
    assert places.departure_of(event("f1")) == places.departures[event("f1")]
    assert places.arrival_of(event("f1")) == places.arrivals[event("f1")]
    assert places.entry_of(event("client#1")) == places.entries[event("client#1")]
    for of in (places.entry_of, places.departure_of, places.arrival_of):
        assert (of(None), of(event("f999"))) == (None, None)


def test_places_are_not_changed_while_causes_are_sought() -> None:
    places = place_events(evidence())
    for field in fields(EventPlaces):
        with pytest.raises(FrozenInstanceError):
            setattr(places, field.name, None)
        if field.name != "events":
            with pytest.raises(TypeError):
                cast(MutableMapping[object, int], getattr(places, field.name))["new"] = 0
