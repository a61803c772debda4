"""Frames held against patterns: in their order or in any, others between them or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.analysis.story import describe_packet, describe_segment
from lab.expect.expectation import met, unmet
from lab.model.claim import Contrast, Verdict, frame_ids
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.tcp.segment import Segment
    from lab.expect.patterns import AnyFrame

FrameSeen = tuple["Crossing", "Segment | None"]
"""A frame, and its segment where it is one of a TCP conversation."""


def in_order(
    patterns: Sequence[AnyFrame], frames: Sequence[FrameSeen], *, none_else: bool
) -> Verdict:
    """The frames that the patterns describe one after another; others between them, or none."""
    if none_else:
        return _the_same(patterns, frames)
    matched: list[int] = []
    start = 0
    for place, pattern in enumerate(patterns):
        found = (n for n in range(start, len(frames)) if not pattern.compare(*frames[n]))
        number = next(found, None)
        if number is None:
            behind = f" behind f{frames[start - 1][0].number}" if start else ""
            return _absent(pattern, place, frames[start:], behind)
        matched.append(number)
        start = number + 1
    numbers = [frames[number][0].number for number in matched]
    return met(f"{counted(len(patterns), 'frame')} in this order", frame_ids(numbers))


def in_any_order(
    patterns: Sequence[AnyFrame], frames: Sequence[FrameSeen], *, none_else: bool
) -> Verdict:
    """A frame for each pattern, none for two of them; others beside them, or none."""
    taken_by: dict[int, int] = {}
    for place in range(len(patterns)):
        if not _assign(place, patterns, frames, taken_by, set()):
            free = [frame for number, frame in enumerate(frames) if number not in taken_by]
            return _absent(patterns[place], place, free, "")
    others = [frame for number, frame in enumerate(frames) if number not in taken_by]
    if none_else and others:
        return _one_more(len(patterns), others[0], len(others))
    numbers = sorted(frames[number][0].number for number in taken_by)
    return met(f"{counted(len(patterns), 'frame')}, in any order", frame_ids(numbers))


def _assign(
    place: int,
    patterns: Sequence[AnyFrame],
    frames: Sequence[FrameSeen],
    taken_by: dict[int, int],
    tried: set[int],
) -> bool:
    """Give the pattern a frame, moving others to other frames where that makes room."""
    for number, frame in enumerate(frames):
        if number in tried or patterns[place].compare(*frame):
            continue
        tried.add(number)
        if number not in taken_by or _assign(taken_by[number], patterns, frames, taken_by, tried):
            taken_by[number] = place
            return True
    return False


def _the_same(patterns: Sequence[AnyFrame], frames: Sequence[FrameSeen]) -> Verdict:
    for place, (pattern, frame) in enumerate(zip(patterns, frames, strict=False)):
        if different := pattern.compare(*frame):
            number = frame[0].number
            why = f"f{number}, which is the {_ordinal(place)}, is not {pattern}"
            return unmet(
                why,
                (Contrast("frame", str(pattern), _said(frame)), *different),
                frame_ids([number]),
            )
    if len(frames) > len(patterns):
        return _one_more(len(patterns), frames[len(patterns)], len(frames) - len(patterns))
    if len(patterns) > len(frames):
        missing = patterns[len(frames)]
        compared = [Contrast("frame", str(missing), "none: there are no more")]
        last = frame_ids([frames[-1][0].number]) if frames else ()
        return unmet(f"there are {len(frames)} frames, and {missing} is missing", compared, last)
    numbers = frame_ids(crossing.number for crossing, _ in frames)
    return met(f"{counted(len(patterns), 'frame')} and no others", numbers)


def _absent(pattern: AnyFrame, place: int, frames: Sequence[FrameSeen], behind: str) -> Verdict:
    """Nothing is as this pattern says: what is nearest to it, field by field."""
    why = f"the {_ordinal(place)} is missing: nothing{behind} is {pattern}"
    if not frames:
        return unmet(why, [Contrast("frame", str(pattern), f"none{behind}")])
    nearest = min(frames, key=lambda frame: _distance(pattern, frame))
    compared = (Contrast("frame", str(pattern), f"nearest: {_said(nearest)}"),)
    return unmet(why, (*compared, *pattern.compare(*nearest)), frame_ids([nearest[0].number]))


def _distance(pattern: AnyFrame, frame: FrameSeen) -> int:
    different = pattern.compare(*frame)
    is_another = any(each.what == "protocol" for each in different)
    return 100 if is_another else len(different)


def _one_more(wanted: int, frame: FrameSeen, more: int) -> Verdict:
    number = frame[0].number
    compared = [Contrast("frames", str(wanted), f"{wanted + more}, with {_said(frame)}")]
    return unmet(f"f{number} was not expected", compared, frame_ids([number]))


def _said(frame: FrameSeen) -> str:
    crossing, segment = frame
    what = describe_segment(segment) if segment else describe_packet(crossing.packet)
    by = f" from {crossing.sender}" if crossing.sender else ""
    return f"f{crossing.number} {what}{by}"


def _ordinal(place: int) -> str:
    words = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
    return words[place] if place < len(words) else f"{place + 1}th"
