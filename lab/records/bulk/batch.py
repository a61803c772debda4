"""Frames that stand one after another in a buffer: where each is, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Octets = NDArray[np.uint8]
Flags = NDArray[np.bool_]

PADDING_BYTES = 64
"""How many zeros follow the frames in a batch's buffer, so that whoever reads a header's fields
need not look first whether all of it is there."""


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """Some frames of a capture file, in its order; each array has one element a frame."""

    data: Octets
    """The bytes of the file that they stand in, and PADDING_BYTES more."""
    starts: Ints
    """Where in `data` each one's captured bytes begin."""
    captured: Ints
    """How many bytes of it were captured."""
    wire: Ints
    """How many it had on the link."""
    time_ns: Ints
    points: Ints
    """Which capture point saw it: its place among the file's."""
    links: Ints
    """Its LinkType's number."""
    directions: Ints
    """Its place in DIRECTIONS."""
    numbers: Ints
    """Its number in the file, from 1."""
    places: Ints
    """Where in the file its captured bytes begin."""

    def __len__(self) -> int:
        return len(self.starts)

    def kept(self, mask: Flags) -> FrameBatch:
        """Those of the frames for which the mask is true."""
        return FrameBatch(
            self.data, self.starts[mask], self.captured[mask], self.wire[mask],
            self.time_ns[mask], self.points[mask], self.links[mask], self.directions[mask],
            self.numbers[mask], self.places[mask],
        )  # fmt: skip
