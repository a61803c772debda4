"""The causes of a step, found by every family."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.analysis.causes.calls.failed_calls import failed_calls
from lab.analysis.causes.calls.unix_queues import blocked_sends
from lab.analysis.causes.copies import copied_sends
from lab.analysis.causes.credentials import peer_credentials
from lab.analysis.causes.datagrams.buffers import full_buffers
from lab.analysis.causes.datagrams.cut import cut_messages
from lab.analysis.causes.datagrams.groups import unheard_groups
from lab.analysis.causes.datagrams.lost import lost_datagrams
from lab.analysis.causes.datagrams.refused import refused_datagrams
from lab.analysis.causes.datagrams.unsent import unsent_datagrams
from lab.analysis.causes.facts.step_facts import StepFacts
from lab.analysis.causes.fast_open import slow_openings
from lab.analysis.causes.opening.neighbours import no_neighbours
from lab.analysis.causes.opening.unanswered import unanswered
from lab.analysis.causes.resets import resets
from lab.analysis.causes.waiting.acks import lost_acks
from lab.analysis.causes.waiting.closings import closings
from lab.analysis.causes.waiting.corked import corked
from lab.analysis.causes.waiting.keepalives import keepalives
from lab.analysis.causes.waiting.links import held_by_links
from lab.analysis.causes.waiting.losses import losses
from lab.analysis.causes.waiting.standstills import standstills
from lab.analysis.causes.waiting.unread import unread
from lab.analysis.causes.waiting.windows import windows
from lab.analysis.causes.waits import waits

if TYPE_CHECKING:
    from lab.analysis.causes.facts.cause import Cause
    from lab.analysis.timeline import Timeline

FAMILIES: tuple[Callable[[StepFacts], Iterator[Cause]], ...] = (
    resets,
    failed_calls,
    waits,
    blocked_sends,
    refused_datagrams,
    full_buffers,
    lost_datagrams,
    cut_messages,
    unheard_groups,
    unsent_datagrams,
    slow_openings,
    copied_sends,
    peer_credentials,
    standstills,
    unread,
    closings,
    corked,
    keepalives,
    windows,
    no_neighbours,
    unanswered,
    losses,
    lost_acks,
    held_by_links,
)


def find_causes(timeline: Timeline) -> tuple[Cause, ...]:
    """Why what surprises in a step went so, the most surprising first; most runs have none.

    What happened several times by the same doing is there once. Where the recording has gaps,
    what follows from it is only likely: something else may be in them.
    """
    facts = StepFacts(timeline)
    found: dict[tuple[str, str], Cause] = {}
    for family in FAMILIES:
        for cause in family(facts):
            key = cause.name, cause.about
            before = found.get(key)
            found[key] = cause if before is None else replace(before, times=before.times + 1)
    causes = sorted(found.values(), key=lambda cause: -cause.surprise)
    gaps = timeline.bracket.incomplete
    if gaps:
        decided = f"a recording without gaps ({gaps[0]})"
        causes = [replace(c, decided_by=c.decided_by or decided) for c in causes]
    return tuple(causes)
