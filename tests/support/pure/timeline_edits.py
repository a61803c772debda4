"""Timelines of recorded runs, and edits of what they were made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import step_edits as s

from lab.analysis.assembly import build_timelines
from lab.analysis.calls.transcript import PrintedCall
from lab.analysis.flows.crossing import Crossing
from lab.analysis.tcp.conversation import analyse_tcp
from lab.analysis.tcp.segment import Segment
from lab.analysis.timeline import Timeline
from lab.model.claim import Claim, Outcome


def timeline_of(name: str, step: str = "") -> Timeline:
    """That of a step of a recording, or of its only one."""
    found = [t for t in build_timelines(s.recording_of(name)) if step in ("", t.step)]
    (timeline,) = found
    assert timeline.bracket.incomplete == ()
    return timeline


def edited(timeline: Timeline, change: Callable[[Crossing], Crossing | None]) -> Timeline:
    """The timeline with other crossings, whose conversations are followed again."""
    changed = {c.number: change(c) for c in timeline.crossings}
    crossings = tuple(each for each in changed.values() if each is not None)
    flows = tuple(
        replace(
            flow,
            crossings=tuple(
                each for c in flow.crossings if (each := changed[c.number]) is not None
            ),
        )
        for flow in timeline.flows
    )
    talks = tuple(analyse_tcp(flow) for flow in flows if flow.protocol == "tcp")
    return replace(timeline, crossings=crossings, flows=flows, conversations=talks)


def without_segments(timeline: Timeline, wanted: Callable[[Segment], object]) -> Timeline:
    """The timeline without the crossings of such segments; there must be one."""
    gone = {s.crossing for talk in timeline.conversations for s in talk.segments if wanted(s)}
    assert gone, "an edit of nothing breaks nothing"
    return edited(timeline, lambda c: None if c.number in gone else c)


def with_segments(timeline: Timeline, change: Callable[[Segment], Segment]) -> Timeline:
    """The timeline with other segments, their crossings as they are; one must be another."""
    talks = tuple(
        replace(talk, segments=tuple(map(change, talk.segments))) for talk in timeline.conversations
    )
    assert talks != timeline.conversations, "an edit of nothing breaks nothing"
    return replace(timeline, conversations=talks)


def with_calls(timeline: Timeline, change: Callable[[PrintedCall], PrintedCall | None]) -> Timeline:
    """The timeline with other printed calls; one must be another, or gone."""
    calls = {
        program: tuple(each for call in printed if (each := change(call)) is not None)
        for program, printed in timeline.calls.items()
    }
    assert calls != timeline.calls, "an edit of nothing breaks nothing"
    return replace(timeline, calls=calls)


def without_calls(timeline: Timeline, name: str = "", error: str | None = None) -> Timeline:
    """The timeline without the printed calls of that name and error; of all of them by default."""
    return with_calls(
        timeline,
        lambda call: None if name in ("", call.name) and error in (None, call.error) else call,
    )


def outcome(claim: Claim, *timelines: Timeline) -> Outcome:
    """What the claim's check makes of these, with a reason."""
    verdict = claim.check(*timelines)
    assert verdict.why
    return verdict.outcome
