"""What the hosts' kernels counted beside what was seen of it.

A counter is a witness beside the frames. Where the two differ, one of them is wrong, and nobody
knows which: then nothing is decided.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from lab.model.claim import Verdict, first_of, holds, undecided
from lab.model.event import frame_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lab.analysis.tcp.segment import Segment
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId


def check_segments(
    timeline: Timeline, counter: str, is_one: Callable[[Segment], object]
) -> Verdict:
    """Whether a counter of each host is the number of such segments seen leaving it."""
    seen: defaultdict[str, list[EventId]] = defaultdict(list)
    for talk in timeline.conversations:
        for segment in talk.segments:
            crossing = timeline.crossing_of[segment.crossing]
            # What a wire made of another one, no host has sent.
            if not crossing.is_made:
                seen[crossing.sender] += [frame_id(segment.crossing)] if is_one(segment) else []
    return check_counted(timeline, counter, seen)


def check_counted(
    timeline: Timeline, counter: str, seen: Mapping[str, Sequence[EventId]]
) -> Verdict:
    """Whether a counter of each host is as much as was seen of it."""
    evidence = [event for events in seen.values() for event in events]
    said = []
    for host, events in seen.items():
        counted = timeline.counters(host)[counter]
        if counted is None:
            return undecided(f"{counter} of {host} was not read", evidence)
        if counted != len(events):
            why = f"{counter} of {host} is {counted}, and {len(events)} were seen"
            return undecided(why, evidence)
        said.append(f"{host} {counted}")
    if not evidence:
        return undecided(f"there was nothing for {counter} to count")
    return holds(f"{counter} is {first_of(said)}, as seen", evidence)
