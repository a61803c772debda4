"""Steps of recorded runs of networks, and what a claim says of them when something is otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.calls.transcript import PrintedCall
from lab.analysis.flows.crossing import Crossing
from lab.analysis.timeline import Timeline
from lab.model.claim import Claim, Outcome

HOLDS, BROKEN = Outcome.HOLDS, Outcome.BROKEN
UNDECIDED, SKIPPED = Outcome.UNDECIDED, Outcome.SKIPPED


def step_of(name: str, step: str = "") -> Timeline:
    """A step of a recording, the first unless it is named; nothing of it is missing."""
    found = build_timelines(s.recording_of(name))
    timeline = next(each for each in found if step in ("", each.step))
    assert timeline.bracket.incomplete == ()
    return timeline


def outcome(claim: Claim, *timelines: Timeline) -> Outcome:
    """What its check says, without regard to what a recording lacks."""
    verdict = claim(*timelines)
    assert verdict.why
    return verdict.outcome


def edited(timeline: Timeline, change: Callable[[Crossing], Crossing | None]) -> Timeline:
    """The timeline with other crossings; at least one is another or gone."""
    changed = [change(crossing) for crossing in timeline.crossings]
    crossings = tuple(each for each in changed if each is not None)
    assert crossings != timeline.crossings, "an edit of nothing breaks nothing"
    return replace(timeline, crossings=crossings)


def without(timeline: Timeline, wanted: Callable[[Crossing], object]) -> Timeline:
    """Such crossings never were."""
    return edited(timeline, lambda crossing: None if wanted(crossing) else crossing)


def printing(timeline: Timeline, change: Callable[[PrintedCall], PrintedCall | None]) -> Timeline:
    """Its programs printed other calls; at least one is another or gone."""
    calls = {
        program: tuple(each for call in printed if (each := change(call)) is not None)
        for program, printed in timeline.calls.items()
    }
    assert calls != timeline.calls, "an edit of nothing breaks nothing"
    return replace(timeline, calls=calls)
