"""A scene is plain values: two of the same moment are equal."""

from __future__ import annotations

from step_scenes import frame, scene


def test_scenes_of_one_moment_are_equal() -> None:
    assert scene(frame(1)) == scene(frame(1)) != scene(frame(2))
