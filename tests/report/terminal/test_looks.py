from __future__ import annotations

from collections.abc import Hashable

import traced_runs as t
from event_ids import event

from lab.model.event import EventId
from lab.report.terminal.beats import Beat, beats
from lab.report.terminal.looks import Looks
from lab.report.terminal.rungs import rungs_of


def kinds(*always: EventId) -> dict[str, Hashable]:
    """The kind of the first beat of each event of the recorded conversation."""
    timeline = t.talk()
    segments = {s.crossing: s for each in timeline.conversations for s in each.segments}
    rungs = rungs_of(timeline.crossings, segments, lambda crossing: crossing.sender == "client")
    looks = Looks(
        {call.id: call for call in timeline.system_calls},
        {rung.crossing.id: rung for rung in rungs},
        {},
        frozenset(always),
    )
    first: dict[str, Hashable] = {}
    for beat in beats(timeline.order):
        whole = Beat(beat.event, True, False)
        first.setdefault(str(beat.event.id), looks.of(whole).kind)
    return first


def test_sends_look_alike_whatever_they_send() -> None:
    kind = kinds()
    assert kind["client#3"] == kind["client#4"] == kind["client#5"]
    assert (
        len(
            {
                kind["client#1"],
                kind["client#2"],
                kind["client#3"],
                kind["server#8"],
            }
        )
        == 4
    )


def test_segments_look_alike_that_go_one_way_and_carry_bytes() -> None:
    kind = kinds()
    assert kind["f6"] == kind["f8"] == kind["f10"]
    assert kind["f7"] == kind["f9"]
    assert (
        len(
            {
                kind["f6"],
                kind["f7"],
                kind["f13"],
                kind["f3"],
                kind["f12"],
                kind["f1"],
            }
        )
        == 6
    )


def test_states_and_what_is_remarked_on_are_always_drawn() -> None:
    kind = kinds(event("f6"))
    assert kind["state 1"] is None and kind["f6"] is None and kind["f8"] is not None
