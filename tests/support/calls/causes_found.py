"""The causes of a recording, by step, and of programs of one's own."""

from __future__ import annotations

import recorded as r
import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.causes.facts.cause import Cause
from lab.analysis.causes.find import find_causes
from lab.records import Recording


def causes_in(recording: Recording, step: str) -> dict[str, Cause]:
    """The causes of one step, by name."""
    (timeline,) = (each for each in build_timelines(recording) if each.step == step)
    return {cause.name: cause for cause in find_causes(timeline)}


def causes_of(name: str, step: str, *edits: r.Edit) -> dict[str, Cause]:
    """Those of a recording of tests/recordings, edited."""
    recording = s.recording_of(name)
    for edit in edits:
        recording = edit(recording)
    return causes_in(recording, step)
