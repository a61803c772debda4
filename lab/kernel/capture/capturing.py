"""How much of a run's frames is captured."""

from __future__ import annotations

from lab.frozen import frozen


@frozen
class Capturing:
    """What of a run's frames is kept, and the memory that they wait in. None is for all of it."""

    ring_bytes: int | None = None
    """The memory of each point's ring; None for a share of what all have."""
    snap_bytes: int | None = None
    """How much of each frame is kept; no less than the lab's own canaries have."""
    max_frames: int | None = None
    """With how many, at all points together, the captures end."""


ALL_OF_IT = Capturing()
