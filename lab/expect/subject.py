"""What expectations look at: a step of a run, or a capture file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.frozen import frozen
from lab.model.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.flows.flow import Flow
    from lab.analysis.tcp.conversation import TcpConversation
    from lab.analysis.timeline import Timeline


@frozen
class Subject:
    """One step of a run, or a capture file, as far as frames go; of a run the rest as well."""

    step: str
    """ "" of a capture file."""
    crossings: tuple[Crossing, ...]
    flows: tuple[Flow, ...]
    conversations: tuple[TcpConversation, ...]
    doubts: tuple[str, ...]
    """Why what was not seen may have been there all the same; empty where nothing is missing."""
    timeline: Timeline | None = None
    """None of a capture file, which has no calls and no proof that it was whole."""


def subjects_of_run(timelines: Sequence[Timeline]) -> tuple[Subject, ...]:
    """The steps of a run."""
    return tuple(
        Subject(
            timeline.step,
            timeline.crossings,
            timeline.flows,
            timeline.conversations,
            timeline.bracket.incomplete,
            timeline,
        )
        for timeline in timelines
    )


def subject_of_file(
    crossings: tuple[Crossing, ...],
    flows: tuple[Flow, ...],
    conversations: tuple[TcpConversation, ...],
    broken: str,
) -> Subject:
    """A capture file; `broken` is where its reading had to end, or ""."""
    doubts = [f"the file could not be read to its end: {broken}"] if broken else []
    frames = (crossing.packet.frame for crossing in crossings)
    cut = sum(len(frame.data) < frame.wire_bytes for frame in frames)
    if cut:
        doubts.append(f"{counted(cut, 'frame')} cut short")
    return Subject("", crossings, flows, conversations, tuple(doubts))
