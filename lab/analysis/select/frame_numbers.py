"""Frames chosen by their numbers in the file: "3-9,12", as editcap(1) takes them."""

from __future__ import annotations

import re

from lab.errors import PointedError
from lab.frozen import frozen


@frozen
class FrameNumbers:
    """Ranges of numbers, from 1, both ends included."""

    ranges: tuple[tuple[int, int | None], ...]
    """None: to the file's end."""

    def __contains__(self, number: int) -> bool:
        return any(
            first <= number and (last is None or number <= last) for first, last in self.ranges
        )


def parse_frame_numbers(text: str, option: str = "--frames") -> FrameNumbers:
    """What "3-9", "12", "40-" and these with commas between stand for. Raises PointedError."""
    ranges: list[tuple[int, int | None]] = []
    start = 0
    for piece in text.split(","):
        ranges.append(_range(piece, text, start, option))
        start += len(piece) + 1
    return FrameNumbers(tuple(ranges))


def _range(piece: str, text: str, start: int, option: str) -> tuple[int, int | None]:
    match = re.fullmatch(r"([0-9]{1,12})(?:(-)([0-9]{1,12})?)?", piece)
    first = int(match[1]) if match else 0
    last = first if match is None or not match[2] else int(match[3]) if match[3] else None
    what = ""
    if match is None or first == 0:
        what = "no frame's number, nor a range, such as 3-9 or 40-; the first frame is 1"
    elif last is not None and last < first:
        what = "this range ends before it begins"
    if what:
        raise PointedError(option, what, text, start, start + len(piece))
    return first, last
