"""Claims of a full accept queue: each holds of a recorded run, and can be broken or left open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from timeline_edits import edited, outcome, timeline_of

from lab.analysis.flows.crossing import Crossing
from lab.analysis.timeline import Timeline
from lab.checks.connections.accept_queue import (
    accepts_all_in_the_end,
    ignores_a_last_ack,
    ignores_a_syn,
)
from lab.model.claim import Claim, Outcome

HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED
SYN, ACK = "a SYN too many", "an ACK too many"
OF = ((SYN, ignores_a_syn), (ACK, ignores_a_last_ack))
EACH = pytest.mark.parametrize(("step", "claim"), OF, ids=[claim.name for _, claim in OF])


def recorded(step: str) -> Timeline:
    return timeline_of("backlog4", step)


def counting(timeline: Timeline, change: Callable[[dict[str, int]], dict[str, int]]) -> Timeline:
    recording = timeline.recording
    seen = tuple(replace(each, changes=change(each.changes)) for each in recording.counters)
    return replace(timeline, recording=replace(recording, counters=seen))


def ignored(timeline: Timeline) -> list[int]:
    """The flow's frames of which the first had no answer."""
    claim = dict(OF)[timeline.step]
    return [event.number for event in claim(timeline).evidence]


@EACH
def test_it_holds_of_a_recorded_run(step: str, claim: Claim) -> None:
    verdict = claim(recorded(step))
    assert verdict.outcome is HOLDS, verdict.why
    assert len(verdict.evidence) == 2
    assert outcome(accepts_all_in_the_end, recorded(step)) is HOLDS


@EACH
def test_where_the_queue_had_room_nothing_is_decided(step: str, claim: Claim) -> None:
    assert outcome(claim, timeline_of("traced-tcp4")) is UNDECIDED
    other = SYN if step == ACK else ACK
    assert outcome(claim, recorded(other)) is UNDECIDED


@EACH
@pytest.mark.parametrize("counter", ["TcpExtListenOverflows", "TcpExtListenDrops"])
def test_a_kernel_that_counted_otherwise_decides_nothing(
    step: str, claim: Claim, counter: str
) -> None:
    timeline = recorded(step)

    def one_more(changes: dict[str, int]) -> dict[str, int]:
        return {**changes, counter: changes.get(counter, 0) + 1}

    assert outcome(claim, counting(timeline, one_more)) is UNDECIDED
    unread = replace(timeline, recording=replace(timeline.recording, counters=()))
    assert outcome(claim, unread) is UNDECIDED


@EACH
def test_what_was_lost_on_its_way_was_not_ignored(step: str, claim: Claim) -> None:
    timeline = recorded(step)
    first, *_ = ignored(timeline)

    def lost(crossing: Crossing) -> Crossing:
        return replace(crossing, received_ns=None) if crossing.number == first else crossing

    assert outcome(claim, edited(timeline, lost)) is UNDECIDED


def test_a_connection_that_was_never_greeted_breaks_it() -> None:
    timeline = recorded(SYN)
    greetings = [c.number for c in timeline.crossings if c.packet.payload and c.sender == "server"]
    without = edited(timeline, lambda c: None if c.number == greetings[-1] else c)
    assert outcome(accepts_all_in_the_end, without) is BROKEN
    assert outcome(accepts_all_in_the_end, replace(timeline, conversations=())) is UNDECIDED


@EACH
def test_a_rst_is_no_silence(step: str, claim: Claim) -> None:
    timeline = recorded(step)
    first, again = ignored(timeline)
    talks = []
    for talk in timeline.conversations:
        segments = list(talk.segments)
        if any(each.crossing == first for each in segments):
            place = next(n for n, each in enumerate(segments) if not each.from_client)
            segments[place] = replace(segments[place], flags=type(segments[place].flags)(0x14))
        talks.append(replace(talk, segments=tuple(segments)))
    assert again
    assert outcome(claim, replace(timeline, conversations=tuple(talks))) is BROKEN
