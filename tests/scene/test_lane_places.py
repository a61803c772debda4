from __future__ import annotations

from lab.scene.lane_places import lane_places


def test_lanes_are_equally_far_apart_and_the_last_faces_back() -> None:
    assert [(place.share, place.inward) for place in lane_places(3)] == [
        (0.0, 1), (0.5, 1), (1.0, -1),
    ]  # fmt: skip


def test_a_lane_alone_stands_first() -> None:
    assert [(place.share, place.inward) for place in lane_places(1)] == [(0.0, 1)]
    assert lane_places(0) == ()
