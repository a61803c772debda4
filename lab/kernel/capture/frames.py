"""Every frame of a run, taken from its captures' rings."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from lab.kernel.capture.capture import LiveCapture
from lab.kernel.capture.ring import ETHERNET_HEADER_BYTES
from lab.records import Frame

CLOSING_S = 2.0


class FrameRecorder:
    """Takes the captures' frames at every turn of the loop."""

    def __init__(self, captures: Sequence[LiveCapture]) -> None:
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

    def close_window(self) -> None:
        """End the captures at one moment: what was counted until then is taken, and no more.

        What the kernel sends once a program has ended (a report that a group is left, and its
        repetitions: RFC 3376, 5.1; RFC 3810, 6.1) is before that moment, or not in the recording.
        Once none has come for CLOSING_S, what is missing is left for the analysis to find. Raises
        KernelRefused.
        """
        for capture in self.captures:
            capture.stop()
        # A frame is counted before it is written into the ring.
        self.take()
        since_ns, taken = time.monotonic_ns(), len(self.frames)
        while not all(capture.is_read() for capture in self.captures):
            time.sleep(0)
            self.take()
            if len(self.frames) > taken:
                since_ns, taken = time.monotonic_ns(), len(self.frames)
            elif time.monotonic_ns() - since_ns > CLOSING_S * 1e9:
                return

    def take(self, _readable: Collection[int] = ()) -> None:
        """Take what the rings hold, and count the payloads that are waited for."""
        sightings = self.sightings
        for capture in self.captures:
            frames = capture.read_frames()
            self.frames += frames
            for frame in frames if sightings else ():
                payload = frame.data[ETHERNET_HEADER_BYTES:]
                if payload in sightings:
                    sightings[payload] += 1
