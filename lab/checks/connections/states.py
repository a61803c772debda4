"""The state of a side when a segment left it or came to it, by the kernel and by the frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.model.claim import Verdict, broken, undecided
from lab.model.event import frame_id

if TYPE_CHECKING:
    from collections.abc import Collection

    from lab.analysis.tcp.segment import Segment
    from lab.analysis.tcp.state import State
    from lab.model.event import EventId


def sender_fault(
    segment: Segment, expected: Collection[State], evidence: Collection[EventId]
) -> Verdict | None:
    """Why the sender was not in one of these states when it had sent this; None if it was."""
    return _fault(
        segment, segment.sender_state, segment.implied_sender_state, "left", expected, evidence
    )


def receiver_fault(
    segment: Segment, expected: Collection[State], evidence: Collection[EventId]
) -> Verdict | None:
    """Why the receiver was not in one of these states when this had come; None if it was."""
    return _fault(
        segment,
        segment.receiver_state,
        segment.implied_receiver_state,
        "came to",
        expected,
        evidence,
    )


def _fault(
    segment: Segment,
    seen: State | None,
    implied: State | None,
    how: str,
    expected: Collection[State],
    evidence: Collection[EventId],
) -> Verdict | None:
    if seen in expected:
        return None
    frame = frame_id(segment.crossing)
    evidence = [*dict.fromkeys([*evidence, frame])]
    found = f"{frame} {how} a side that is {seen.value if seen else 'gone'}"
    if implied in expected and implied is not None:
        # Of two witnesses one is wrong, and this is what the frames show.
        return undecided(f"{found} by the kernel, {implied.value} by the frames", evidence)
    return broken(found, evidence)
