"""Why bytes that were sent did not leave: a program had set the interface down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.links import LinkDown, down_at
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.model.event import EventId

_LOOKED_AT = 100
"""So many sends show what a program's sends do, however long a run is."""


def held_by_links(facts: StepFacts) -> Iterator[Cause]:
    """The sends on TCP sockets that succeeded while the interface was down. Source: send(2)."""
    for channel in facts.correlation.channels:
        sender = facts.timeline.endpoint_of.get(channel.sender)
        if sender is None or sender.protocol != "tcp" or channel.flow is None:
            continue
        for part in channel.parts[:_LOOKED_AT]:
            call = facts.timeline.call_of[part.call]
            down = down_at(facts, call.host, call.entry_ns)
            if down is None:
                continue
            left = next(iter(part.segments), None)
            left_ns = facts.evidence.departure_ns(left)
            until_ns = None if down.up is None else down.up.entry_ns
            if left_ns is None or (until_ns is not None and left_ns >= until_ns):
                yield _cause(facts, call, down, left, left_ns, str(channel.flow))
                break


def _cause(
    facts: StepFacts, call: SystemCall, down: LinkDown, left: EventId | None, left_ns: int | None,
    flow: str,
) -> Cause:  # fmt: skip
    until = "" if down.up is None else f", until {named(down.up)} sets it up again"
    if left_ns is None or facts.is_over(left_ns):
        came = "never left"
        left = None
    else:
        came = f"left {ms(left_ns - call.entry_ns)} later ({left})"
    return Cause(
        "interface-down",
        f"{named(call)} succeeds, and its {counted(call.moved, 'byte')} {came}: {down.name} of "
        f"{call.host} is down, as {named(down.down)} set it{until}. TCP keeps them and tries "
        "again when its timer runs out, which no call is told.",
        flow,
        known_ids(down.down, call, down.up, left),
        "send(2); RFC 6298, 5; ip-link(8); rtnetlink(7)",
        Surprise.ELSEWHERE,
    )
