"""Every frame of a run: written to disk by a process of its own, read when the run is over."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Collection, Iterator, Sequence

from lab.errors import KernelRefused
from lab.kernel.capture.blocks import sequence_of
from lab.kernel.capture.capture import LiveCapture, begin_captures
from lab.kernel.capture.capturing import ALL_OF_IT, Capturing
from lab.kernel.capture.drain import Drain, Progress
from lab.kernel.capture.ring import RingPlace
from lab.kernel.capture.settling import settle
from lab.kernel.capture.spool import SpooledBlock, read_blocks
from lab.kernel.capture.spooled import SpooledFrames
from lab.kernel.capture.writer import Writer
from lab.model.counted import counted
from lab.records import CANARY_TEXT, Frame

CLOSING_S = 2.0
FLUSH_POLL_S = 0.001


class FrameRecorder:
    """Records what captures see; a source of the loop (lab.kernel.system.loop.Source)."""

    def __init__(
        self,
        captures: Sequence[LiveCapture],
        spools: Sequence[int],
        capturing: Capturing = ALL_OF_IT,
    ) -> None:
        """Begin the captures.

        `spools` are descriptors of files, as many as threads may write: see
        lab.kernel.capture.spool. Raises KernelRefused.
        """
        spools = spools[: max(1, len(captures))]
        self.captures = captures
        self.sightings: dict[bytes, int] = {}
        """How often each of these payloads was captured; whoever sends one sets it to 0."""
        self._capturing = capturing
        max_frames = capturing.max_frames
        self._progress = Progress(len(captures), len(spools))
        self._drains = []
        for number, spool in enumerate(spools):
            places = range(number, len(captures), len(spools))
            rings = {place: captures[place].ring for place in places}
            self._drains.append(Drain(rings, number, spool, self._progress, max_frames))
        # Before the rings are made: that takes a while, in which it gets ready.
        self.writer = Writer(self._drains)
        try:
            begin_captures(captures)
        except KernelRefused:
            self.writer.close()
            raise
        self.writer.begin()
        self._watched_since: tuple[list[int], list[RingPlace]] = ([], [])

    def descriptors(self) -> tuple[int, ...]:
        """None that frames make readable: those need not end the loop's wait."""
        return self.writer.descriptors()

    def take(self, _readable: Collection[int] = ()) -> None:
        """Note where the process that writes the frames has ended."""
        self.writer.look()

    @property
    def has_ended(self) -> bool:
        """Whether no frame is recorded any more, though the run goes on."""
        return self._progress.is_full or bool(self._progress.failure)

    @property
    def losses(self) -> tuple[str, ...]:
        """Why frames are missing, besides what the kernel counts."""
        found = []
        if self.writer.is_gone:
            found.append("the process that writes the captured frames to disk was killed")
        if number := self._progress.failure:
            name = errno.errorcode.get(number, number)
            found.append(
                f"the captured frames could not be written to disk: {name} ({os.strerror(number)})"
            )
        if self._progress.is_full:
            frames = counted(self._capturing.max_frames or 0, "frame")
            found.append(f"the captures ended after {frames}, as was asked")
        return tuple(found)

    @property
    def saved(self) -> int:
        """How many frames are on disk."""
        return self._progress.frames

    @property
    def saved_bytes(self) -> int:
        """How many bytes they take there."""
        return sum(map(self._progress.written, range(len(self._drains))))

    def come(self) -> int:
        """A number that grows with each frame."""
        places = (capture.ring.place() for capture in self.captures)
        return sum(place.sequence << 32 | place.length for place in places)

    def watch(self) -> None:
        """Look for `sightings` in what is captured from now on; there are none yet."""
        self.sightings = {}
        places = [capture.ring.place() for capture in self.captures]
        self._watched_since = self._written(), places

    def look(self) -> None:
        """Bring `sightings` up to date."""
        written, places = self._watched_since
        size = max(map(len, self.sightings), default=0)
        seen: set[tuple[int, RingPlace, bytes]] = set()
        for number, (capture, since) in enumerate(zip(self.captures, places, strict=True)):
            found = capture.ring.find(CANARY_TEXT, size, since)
            seen.update((number, place, text) for place, text in found)
        # What is in a ring no more was written before it was given back.
        for block in self._blocks(written):
            since, data, at = places[block.capture], block.data, 0
            while (at := data.find(CANARY_TEXT, at)) >= 0:
                place = RingPlace(sequence_of(data, 0), at)
                if place >= since:
                    seen.add((block.capture, place, data[at : at + size]))
                at += len(CANARY_TEXT)
        self.sightings = dict.fromkeys(self.sightings, 0)
        for _, _, text in seen:
            if text in self.sightings:
                self.sightings[text] += 1

    def close_window(self) -> None:
        """End the captures at one moment: what was counted until then is taken, and no more.

        What the kernel sends once a program has ended (a report that a group is left, and its
        repetitions: RFC 3376, 5.1; RFC 3810, 6.1) is before that moment, or not in the recording.
        What is missing after CLOSING_S is left for the analysis to find. Raises KernelRefused.
        """
        for capture in self.captures:
            capture.stop()
        if not settle():
            self.flush()
        if not self.writer.finish():
            for drain in self._drains:
                drain.take_over()
                drain.finish()

    def flush(self) -> None:
        """Wait until what was counted until now is written, CLOSING_S at most.

        Raises KernelRefused.
        """
        wanted = []
        for capture in self.captures:
            point = capture.statistics()
            wanted.append(point.frames - point.dropped)
        until_ns = time.monotonic_ns() + round(CLOSING_S * 1e9)
        while any(self._progress.frames_of(n) < count for n, count in enumerate(wanted)):
            self.writer.look()
            if self.writer.is_gone or self.has_ended or time.monotonic_ns() > until_ns:
                return
            time.sleep(FLUSH_POLL_S)

    def spooled(self) -> SpooledFrames:
        """Where the frames are that are written."""
        names = tuple(capture.point.name for capture in self.captures)
        return SpooledFrames(names, tuple(self._written()), self._capturing.max_frames)

    def frames(self) -> tuple[Frame, ...]:
        """The frames that are written, in order of time."""
        return tuple(self.spooled().read([drain.spool for drain in self._drains]))

    def _written(self) -> list[int]:
        """How far each spool is written."""
        return [self._progress.written(drain.number) for drain in self._drains]

    def _blocks(self, since: Sequence[int]) -> Iterator[SpooledBlock]:
        """The blocks in the spools behind those positions."""
        for drain, start, end in zip(self._drains, since, self._written(), strict=True):
            yield from read_blocks(drain.spool, start, end)

    def close(self) -> None:
        """End the process that writes."""
        self.writer.close()
