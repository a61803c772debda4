"""Where lanes stand across the page."""

from __future__ import annotations

from lab.scene.model import LanePlace


def lane_places(count: int) -> tuple[LanePlace, ...]:
    """A place for each lane, from left to right and equally far from each other.

    Texts stand beside their lane on the side of the next one, those of the last on the side of
    the one before: what is between two lanes belongs to both, and a slot to one event.
    """
    if count <= 1:
        return (LanePlace(0.0, 1),) * count
    last = count - 1
    return tuple(LanePlace(lane / last, -1 if lane == last else 1) for lane in range(count))
