"""Capture files read in batches, as frames."""

from __future__ import annotations

from collections.abc import Iterable

from captured import NAME, source_of

from lab.pcap.bulk.bulk_file import BulkFile
from lab.pcap.capture import CaptureFile
from lab.records import DIRECTIONS, Frame, LinkType
from lab.records.bulk.batch import FrameBatch


def frames_of_batches(
    batches: Iterable[FrameBatch], file: BulkFile, data: bytes
) -> tuple[list[Frame], list[int]]:
    """The frames, and their numbers in the file of these bytes."""
    frames, numbers = [], []
    for batch in batches:
        for at, start in enumerate(batch.starts.tolist()):
            size = int(batch.captured[at])
            captured = batch.data[start : start + size].tobytes()
            place = int(batch.places[at])
            assert data[place : place + size] == captured
            frames.append(
                Frame(
                    int(batch.time_ns[at]), file.points[batch.points[at]],
                    DIRECTIONS[batch.directions[at]], captured, int(batch.wire[at]),
                    LinkType(int(batch.links[at])),
                )
            )  # fmt: skip
            numbers.append(int(batch.numbers[at]))
    return frames, numbers


def bulk_of(data: bytes, chunk: int = 1 << 16) -> tuple[list[Frame], list[int], CaptureFile]:
    """The frames of a file of these bytes, their numbers, and what there is to say of the file."""
    file = BulkFile(source_of(data, chunk), NAME)
    frames, numbers = frames_of_batches(file.batches(), file, data)
    return frames, numbers, file.capture()
