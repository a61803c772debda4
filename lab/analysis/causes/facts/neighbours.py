"""Questions who has an address that nobody answered: ARP and Neighbor Solicitations."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lab.analysis.causes.facts.step_facts import StepFacts
    from lab.analysis.packets.packet import IPAddress, Packet
    from lab.model.event import EventId

_REQUEST, _REPLY = 1, 2
_SOLICITATION, _ADVERTISEMENT = 135, 136


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
        question = _question(crossing.packet)
        answer = _answer(crossing.packet)
        if answer is not None and crossing.time_ns < before_ns:
            answered.add(answer)
        if question is None or crossing.sender != host:
            continue
        if after_ns <= crossing.time_ns < before_ns:
            asked.append(Unanswered(crossing.id, question))
    return [each for each in asked if each.target not in answered]


def _question(packet: Packet) -> IPAddress | None:
    """Whose hardware address a packet asks for."""
    arp, icmp = packet.arp, packet.icmp
    if arp is not None and arp.operation == _REQUEST and arp.target != arp.sender:
        return arp.target
    if icmp is None or (icmp.version, icmp.type) != (6, _SOLICITATION) or packet.ip is None:
        return None
    return None if packet.ip.source.is_unspecified else icmp.target


def _answer(packet: Packet) -> IPAddress | None:
    """Whose hardware address a packet gives."""
    arp, icmp = packet.arp, packet.icmp
    if arp is not None and arp.operation == _REPLY:
        return arp.sender
    is_answer = icmp is not None and (icmp.version, icmp.type) == (6, _ADVERTISEMENT)
    return icmp.target if is_answer and icmp is not None else None
