"""Why nothing can leave: nobody says which hardware address an IP address has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.analysis.causes.waiting.connects import connect_failed
from lab.model.address import SocketAddress
from lab.model.event import EventId

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.packets.packet import IPAddress

_REQUEST, _REPLY = 1, 2
_SOLICITATION, _ADVERTISEMENT = 135, 136
_FAILS = ("EHOSTUNREACH", "ETIMEDOUT")


class _Asked(NamedTuple):
    """Who asks for whose hardware address, by their IP addresses."""

    asker: IPAddress
    about: IPAddress


def no_neighbours(facts: StepFacts) -> Iterator[Cause]:
    """Addresses that nobody answers for on the link, which a call was to reach."""
    asked: dict[_Asked, list[Crossing]] = {}
    answered: set[_Asked] = set()
    for crossing in facts.timeline.crossings:
        if facts.is_over(crossing.time_ns) or crossing.sender in facts.timeline.recording.switches:
            continue
        if (question := _question(crossing)) is not None:
            asked.setdefault(question, []).append(crossing)
        elif not crossing.lost and (answer := _answer(crossing)) is not None:
            answered.add(answer)
    for question, requests in asked.items():
        host = requests[0].sender
        call = _to(facts, host, question.about)
        wanted = call is not None or not facts.is_traced
        # A host asks each second, three times (neigh/mcast_solicit, arp(7)).
        if question not in answered and wanted and len(requests) > 1:
            yield _no_neighbour(facts, host, question.about, requests, call)


def _question(crossing: Crossing) -> _Asked | None:
    """What is asked. Source: RFC 826; RFC 4861, 4.3."""
    arp, icmp, ip = crossing.packet.arp, crossing.packet.icmp, crossing.packet.ip
    if arp is not None:
        is_asked = arp.operation == _REQUEST and arp.sender != arp.target
        known = arp.sender is not None and arp.target is not None
        return _Asked(arp.sender, arp.target) if is_asked and known else None  # type: ignore[arg-type]
    if icmp is None or ip is None or icmp.type != _SOLICITATION or icmp.target is None:
        return None
    return None if ip.source.is_unspecified else _Asked(ip.source, icmp.target)


def _answer(crossing: Crossing) -> _Asked | None:
    """What is answered. Source: RFC 826; RFC 4861, 4.4."""
    arp, icmp, ip = crossing.packet.arp, crossing.packet.icmp, crossing.packet.ip
    if arp is not None:
        known = arp.operation == _REPLY and arp.sender is not None and arp.target is not None
        return _Asked(arp.target, arp.sender) if known else None  # type: ignore[arg-type]
    if icmp is None or ip is None or icmp.type != _ADVERTISEMENT or icmp.target is None:
        return None
    return _Asked(ip.destination, icmp.target)


def _to(facts: StepFacts, host: str, address: IPAddress) -> SystemCall | None:
    """The host's connect(2) to an address that failed for want of a neighbour, or waits."""
    for call in facts.timeline.system_calls:
        place = call.argument("addr")
        if call.host != host or call.name != "connect" or place is None:
            continue
        is_there = isinstance(place.address, SocketAddress) and place.address.address == address
        if is_there and (call.error in (*_FAILS, "EINPROGRESS") or call.exit_ns is None):
            return call
    return None


def _no_neighbour(
    facts: StepFacts,
    host: str,
    address: IPAddress,
    requests: list[Crossing],
    call: SystemCall | None,
) -> Cause:
    asks = "ARP" if address.version == 4 else "neighbour discovery"
    owners = [
        seen.host
        for seen in facts.timeline.recording.interfaces
        if any(each.ip == address for each in seen.addresses)
    ]
    met = (facts.struck.get(each) for crossing in requests for each in crossing.strikes)
    struck = [each for each in met if each is not None and each.strike.is_end]
    if struck:
        why = (
            f"the requests never come to {owners[0] if owners else 'the others'}, as the wire's "
            f"rule {struck[0].rule.text!r} drops them ({struck[0].id})"
        )
    elif not owners:
        why = "no host of this run has that address"
    else:
        why = f"it is {owners[0]}'s, which does not answer"
    failed = None if call is None else connect_failed(facts, call.socket, call.entry_ns)
    fails = "" if call is None else f": {named(call)} waits" if failed is None else f": {failed}"
    evidence: tuple[EventId, ...] = known_ids(
        *(crossing.id for crossing in requests),
        *(each.id for each in struck[:1]),
        call,
        failed.call if failed else None,
    )
    return Cause(
        "no-neighbour",
        f"Nobody says which hardware address has {address}: {host} asks {len(requests)} times "
        f"({requests[0].id} to {requests[-1].id}, {asks}), and {why}. So nothing can leave for it"
        f"{fails}.",
        str(address),
        evidence,
        "RFC 826; arp(7)" if address.version == 4 else "RFC 4861, 7.2.2",
        Surprise.HIDDEN,
    )
