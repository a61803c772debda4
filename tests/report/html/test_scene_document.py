from __future__ import annotations

import json
from dataclasses import replace

from scenes import recorded_scene

from lab.report.html.scene_document import scene_document
from lab.scene.model import SlotKind


def test_times_count_from_the_first_event() -> None:
    scene = recorded_scene("traced-tcp4")
    slots = scene_document(scene, {})["slots"]
    times = [time for _, time, *_ in slots if time is not None]
    assert times[0] == 0
    assert max(times) < 10**9


def test_events_are_named_by_their_numbers() -> None:
    scene = recorded_scene("traced-tcp4")
    numbers = {arrow.event: 100 + place for place, arrow in enumerate(scene.arrows)}
    document = scene_document(scene, numbers)
    assert [arrow["event"] for arrow in document["arrows"]] == [*range(100, 120)]
    kinds = [document["kinds"][slot[0]] for slot in document["slots"]]
    assert kinds == [slot.kind.value for slot in scene.slots]
    assert SlotKind.NOTE.value in kinds


def test_hostile_texts_can_be_seen() -> None:
    scene = recorded_scene("traced-tcp4")
    lanes = tuple(replace(lane, name="\u202e\0<b>") for lane in scene.lanes)
    text = json.dumps(scene_document(replace(scene, lanes=lanes), {}), ensure_ascii=False)
    assert "\u202e" not in text
    assert r"\\u202e\\x00<b>" in text
