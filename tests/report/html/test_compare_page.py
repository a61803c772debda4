from __future__ import annotations

from scenes import Parsed, recorded_result

from lab.derive import derived


def test_steps_stand_beside_each_other() -> None:
    result = recorded_result("traced-udp4")
    parsed = Parsed(derived(result, "compare").decode("utf-8"))
    steps = [timeline.step for timeline in result.timelines]
    said = [text for text in parsed.text if text in steps]
    assert said[: len(steps)] == steps, "in the table"
    assert said[len(steps) :] == steps, "and over the ladders"
    assert "wire bytes a payload byte" in parsed.text
    assert any(tag == "svg" for tag, _ in parsed.elements)
