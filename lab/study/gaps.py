"""Gaps in a ladder: what is asked for is blank, and whatever else would tell it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.analysis.story import segment_fields
from lab.frozen import frozen
from lab.ladder.model import CallRow, ElisionRow, FrameKind, FrameRow, Ladder, Part, Row
from lab.study.exercise import Exercise, Topic

if TYPE_CHECKING:
    from lab.analysis.tcp.segment import Segment
    from lab.model.event import EventId

FIELDS = {Topic.FLAGS: "", Topic.SEQ: "seq", Topic.ACK: "ack", Topic.LENGTH: "len"}
"""What a question about a segment's text asks for, by its name there."""
STATES = (Topic.SENDER_STATE, Topic.RECEIVER_STATE)


@frozen
class Gap:
    """A place to fill in."""

    number: int
    """From 1, in the order of the ladder; 0 where there is no other."""
    exercise: Exercise

    @property
    def text(self) -> str:
        """What stands there."""
        return f"({self.number})____" if self.number else "____"


def with_gaps(ladder: Ladder, gaps: Sequence[Gap], segments: Mapping[EventId, Segment]) -> Ladder:
    """The ladder with blanks; a state that is asked for is blank for as long as it lasts.

    `segments` are the step's, by their frames (`lab.study.exercises.segment_of_event`).
    """
    return replace(ladder, rows=_gapped(ladder.rows, gaps, segments))


def states_of(row: FrameRow) -> Iterator[tuple[Topic, int, str]]:
    """What the ends' states are from there on, each with its lane."""
    if row.sender_state and row.part is not Part.END:
        yield Topic.SENDER_STATE, row.source, row.sender_state
    if row.receiver_state and row.part is not Part.START:
        yield Topic.RECEIVER_STATE, row.target, row.receiver_state


def _gapped(
    rows: Sequence[Row], gaps: Sequence[Gap], segments: Mapping[EventId, Segment]
) -> tuple[Row, ...]:
    """The rows with blanks; a state that is asked for is blank for as long as it lasts."""
    blank = {(gap.exercise.event, gap.exercise.topic): gap.text for gap in gaps}
    lasting: dict[tuple[int, str], tuple[str, str]] = {}
    """By lane and connection, a state that is asked for and what stands in its place."""
    found: list[Row] = []
    for row in rows:
        if isinstance(row, ElisionRow):
            found.append(replace(row, text=f"... {len(row.rows)} lines left out"))
        elif isinstance(row, CallRow) and (row.event, Topic.RESULT) in blank and row.result:
            text = blank[row.event, Topic.RESULT]
            found.append(replace(row, result=text, error="", brings_more=False))
        elif isinstance(row, FrameRow) and row.is_segment:
            shown = {}
            for kind, lane, state in states_of(row):
                key = lane, row.connection
                if (row.event, kind) in blank:
                    lasting[key] = state, blank[row.event, kind]
                elif lasting.get(key, (state, ""))[0] != state:
                    del lasting[key]
                if key in lasting:
                    shown[kind] = lasting[key][1]
            found.append(_blanked(row, blank, shown, segments[row.event]))
        else:
            found.append(row)
    return tuple(found)


def _blanked(
    row: FrameRow,
    blank: Mapping[tuple[EventId, Topic], str],
    states: Mapping[Topic, str],
    segment: Segment,
) -> FrameRow:
    names = {name: blank.get((row.event, kind)) for kind, name in FIELDS.items()}
    words = []
    for name, text in segment_fields(segment):
        said = names.get(name) or text
        words.append(f"{name}={said}" if name else said)
    hides_length = names["len"] is not None
    return replace(
        row,
        text=" ".join(words),
        # The bytes would tell how many they are, and the flags what their colour is for.
        payload=b"" if hides_length else row.payload,
        kind=FrameKind.OTHER if names[""] is not None else row.kind,
        sender_state=states.get(Topic.SENDER_STATE, row.sender_state),
        receiver_state=states.get(Topic.RECEIVER_STATE, row.receiver_state),
        sender_differs=row.sender_differs and Topic.SENDER_STATE not in states,
        receiver_differs=row.receiver_differs and Topic.RECEIVER_STATE not in states,
    )
