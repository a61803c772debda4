"""Why bytes that were sent did not leave: a program had set the interface down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.links import LinkDown
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, ms, named
from lab.model.counted import counted

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.model.event import EventId


def held_by_links(facts: StepFacts) -> Iterator[Cause]:
    """The sends on TCP sockets that succeeded while the interface was down. Source: send(2)."""
    told: set[str] = set()
    for channel, call, left, left_ns in facts.tcp_sends():
        down = None if channel.sender in told else facts.link_down_at(call.host, call.entry_ns)
        if down is None:
            continue
        until_ns = None if down.up is None else down.up.entry_ns
        if left_ns is None or (until_ns is not None and left_ns >= until_ns):
            told.add(channel.sender)
            yield _cause(facts, call, down, left, left_ns, str(channel.flow))


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
