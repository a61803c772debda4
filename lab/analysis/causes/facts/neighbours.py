"""Questions who has an address that nobody answered: ARP and Neighbor Solicitations."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.flows.neighbours import answered_for, asked_for

if TYPE_CHECKING:
    from lab.analysis.causes.facts.step_facts import StepFacts
    from lab.analysis.packets.packet import IPAddress
    from lab.model.event import EventId


class Unanswered(NamedTuple):
    """A question that nobody answered."""

    frame: EventId
    target: IPAddress


def unanswered(facts: StepFacts, host: str, after_ns: int, before_ns: int) -> list[Unanswered]:
    """Those of a host between two times, of targets that nobody had answered for until then.

    Source: RFC 826; RFC 4861, 7.2.2. A host that probes for its own new address asks nobody.
    """
    asked: list[Unanswered] = []
    answered: set[IPAddress] = set()
    for crossing in facts.timeline.crossings:
        if crossing.is_plain or not crossing.packet.resolves_neighbour:
            continue  # as nearly all do
        question = asked_for(crossing.packet)
        answer = answered_for(crossing.packet)
        if answer is not None and crossing.time_ns < before_ns:
            answered.add(answer)
        if question is None or crossing.sender != host:
            continue
        if after_ns <= crossing.time_ns < before_ns:
            asked.append(Unanswered(crossing.id, question))
    return [each for each in asked if each.target not in answered]
