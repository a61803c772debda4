"""How much of a run's frames is captured."""

from __future__ import annotations

from lab.frozen import frozen

LEAST_SNAP_BYTES = 64
"""The lab's own canaries are nearly as long, and have to be known."""
MOST_SNAP_BYTES = 262_144
MOST_RING_MIB = 1024


@frozen
class Capturing:
    """What of a run's frames is kept, and the memory that they wait in. None is for all of it."""

    ring_bytes: int | None = None
    """The memory of each point's ring; None for a share of what all have."""
    snap_bytes: int | None = None
    """How much of each frame is kept, from LEAST_SNAP_BYTES to MOST_SNAP_BYTES."""
    max_frames: int | None = None
    """With how many, at all points together, the captures end."""


ALL_OF_IT = Capturing()
