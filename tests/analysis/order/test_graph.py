"""Events and their places; the edges that are drawn between them, test_happens_before.py."""

from __future__ import annotations

from dataclasses import replace

import recorded as r
import traced as t
import traced_tcp as w
from event_ids import event

from lab.analysis.order.events import EventPart
from lab.analysis.timeline import Timeline


def parts_of(timeline: Timeline, id: str) -> list[EventPart]:
    return [each.part for each in timeline.order.events if each.id == event(id)]


def timeline() -> Timeline:
    state = t.state(
        "sk 1", "ESTABLISHED", ("198.51.100.1", 40858), ("198.51.100.2", 4242), 20_000,
        step="conversation",
    )  # fmt: skip
    return w.timeline_of(w.traced(w.times_by(w.earliest), state))


def test_a_call_and_a_frame_are_two_events_and_a_state_is_one() -> None:
    found = timeline()
    assert parts_of(found, "client#3") == [EventPart.ENTRY, EventPart.EXIT]
    assert parts_of(found, "f6") == [EventPart.DEPARTURE, EventPart.ARRIVAL]
    assert parts_of(found, "state 1") == [EventPart.STATE]


def test_what_was_not_seen_is_no_event() -> None:
    recording = w.traced(w.times_by(), base=r.lost(8)(w.wire()))
    calls = [
        replace(call, exit_ns=None, result=None) if call.name == "close" else call
        for call in recording.trace.syscalls
    ]
    found = w.timeline_of(replace(recording, trace=replace(recording.trace, syscalls=tuple(calls))))
    assert parts_of(found, "f8") == [EventPart.DEPARTURE]
    assert parts_of(found, "client#10") == [EventPart.ENTRY]


def test_an_event_is_on_the_host_where_it_happened() -> None:
    hosts = {(str(each.id), each.part): each.host for each in timeline().order.events}
    assert hosts["f6", EventPart.DEPARTURE] == "client"
    assert hosts["f6", EventPart.ARRIVAL] == "server"
    assert hosts["server#5", EventPart.ENTRY] == "server"
    assert hosts["state 1", EventPart.STATE] == "client"
