"""Every frame of a run, taken from its captures' rings."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lab.kernel.capture.capture import ETHERNET_HEADER_BYTES, Capture
from lab.records import Frame


class FrameRecorder:
    """Takes the captures' frames at every turn of the loop."""

    def __init__(self, captures: Sequence[Capture]) -> None:
        self.captures = captures
        self.frames: list[Frame] = []
        self.sightings: dict[bytes, int] = {}
        """How often each of these payloads was captured; whoever sends one sets it to 0."""

    def descriptors(self) -> tuple[int, ...]:
        """None: a frame does not end the loop's wait.

        While programs run it would end for nearly every frame, at the cost of the program that
        sends it. Who waits for a frame adds `ring_descriptors` to the wait.
        """
        return ()

    def ring_descriptors(self) -> list[int]:
        """The captures' descriptors, readable when frames are in their rings."""
        for capture in self.captures:
            capture.clear_error()
        return [capture.fileno() for capture in self.captures]

    def take(self, _readable: Collection[int] = ()) -> None:
        """Take what the rings hold, and count the payloads that are waited for."""
        sightings = self.sightings
        for capture in self.captures:
            frames = capture.read_frames()
            self.frames += frames
            for frame in frames:
                payload = frame.data[ETHERNET_HEADER_BYTES:]
                if payload in sightings:
                    sightings[payload] += 1
