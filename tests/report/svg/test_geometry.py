from __future__ import annotations

from scenes import recorded_scene

from lab.report.svg.geometry import CALL_LINES, GUTTER, Geometry


def test_slots_follow_one_another_and_hidden_ones_take_no_room() -> None:
    for name in ("traced-tcp4", "traced-udp4", "traced-calls4"):
        geometry = Geometry(recorded_scene(name), 10)
        heights = [b - a for a, b in zip(geometry.tops, geometry.tops[1:], strict=False)]
        for slot, height in enumerate(heights):
            assert (height == 0) is (slot in geometry.hidden)


def test_lanes_stand_within_the_page_in_their_order() -> None:
    geometry = Geometry(recorded_scene("traced-tcp4"), 0)
    left, right = geometry.sides
    assert GUTTER < left.edge < left.text < right.text < right.edge < geometry.width


def test_a_call_takes_no_more_lines_than_it_may_and_keeps_its_result() -> None:
    scene = recorded_scene("traced-tcp4")
    geometry = Geometry(scene, 0)
    for call in scene.calls:
        lines = geometry.texts[call.start]
        assert len(lines) <= CALL_LINES
        if call.start == call.end:
            assert lines[-1].rstrip().endswith(f"= {call.outcome}")


def test_a_run_without_lanes_has_no_sides() -> None:
    from dataclasses import replace

    scene = recorded_scene("tcp4")
    empty = replace(scene, lanes=(), places=(), calls=(), ribbons=(), notes=())
    assert Geometry(empty, 0).sides == []
