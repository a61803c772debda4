"""Why nothing can leave: nobody says which hardware address an IP address has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.neighbours import unanswered
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.analysis.causes.opening.connects import connect_failed
from lab.model.address import SocketAddress
from lab.model.event import EventId

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.packets.packet import IPAddress

_FAILS = ("EHOSTUNREACH", "ETIMEDOUT")


def no_neighbours(facts: StepFacts) -> Iterator[Cause]:
    """Addresses that nobody answers for on the link, and no call fails for it (yet).

    A call that fails with EHOSTUNREACH for it is a cause itself (causes/calls).
    """
    end_ns = facts.stopped_ns or max((run.ended_ns for run in facts.timeline.programs), default=0)
    failed = {call.host for call in facts.timeline.system_calls if call.error == "EHOSTUNREACH"}
    hosts = dict.fromkeys(run.host for run in facts.timeline.programs)
    for host in hosts.keys() - failed:
        asked: dict[IPAddress, list[EventId]] = {}
        for each in unanswered(facts, host, 0, end_ns):
            asked.setdefault(each.target, []).append(each.frame)
        for address, requests in asked.items():
            call = _to(facts, host, address)
            wanted = call is not None or not facts.is_traced
            # A host asks each second, three times (neigh/mcast_solicit, arp(7)).
            if wanted and len(requests) > 1:
                yield _no_neighbour(facts, host, address, requests, call)


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
    requests: list[EventId],
    call: SystemCall | None,
) -> Cause:
    asks = "ARP" if address.version == 4 else "neighbour discovery"
    owners = [
        seen.host
        for seen in facts.timeline.recording.interfaces
        if any(each.ip == address for each in seen.addresses)
    ]
    frames = [facts.timeline.crossing_of[each.number] for each in requests]
    met = (facts.struck.get(each) for crossing in frames for each in crossing.strikes)
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
        *requests,
        *(each.id for each in struck[:1]),
        call,
        failed.call if failed else None,
    )
    return Cause(
        "no-neighbour",
        f"Nobody says which hardware address has {address}: {host} asks {len(requests)} times "
        f"({requests[0]} to {requests[-1]}, {asks}), and {why}. So nothing can leave for it"
        f"{fails}.",
        str(address),
        evidence,
        "RFC 826; arp(7)" if address.version == 4 else "RFC 4861, 7.2.2",
        Surprise.HIDDEN,
    )
