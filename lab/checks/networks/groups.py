"""Checks of datagrams to several hosts: to everybody on a link, and to the members of a group."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, NamedTuple

from lab.analysis.calls.transcript import reads_of
from lab.analysis.messages.membership import membership_of
from lab.analysis.packets.packet import Ethernet, IPv4
from lab.model.claim import (
    Verdict,
    broken,
    claim,
    first_of,
    frame_ids,
    holds,
    skipped,
    undecided,
)
from lab.model.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.calls.transcript import PrintedCall
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.packets.packet import IPAddress, Packet
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

EVERYBODY = IPv4Address("255.255.255.255")
ALL_NODES = IPv6Address("ff02::1")
BROADCAST = "ff:ff:ff:ff:ff:ff"
JOINS = frozenset({"IP_ADD_MEMBERSHIP", "IPV6_JOIN_GROUP"})
NO_BROADCAST = "IPv6 has no broadcast"
NOT_SENT = "no datagram to several hosts was sent"


class _Delivery(NamedTuple):
    """A datagram to several hosts, and the ways that it and its copies took."""

    first: Crossing
    every: tuple[Crossing, ...]

    @property
    def reached(self) -> frozenset[str]:
        """The hosts that it arrived at."""
        return frozenset(each.receiver for each in self.every if not each.lost)

    @property
    def evidence(self) -> tuple[EventId, ...]:
        return frame_ids(each.number for each in self.every)


@claim(
    "Who wants to send a broadcast has to say so: without SO_BROADCAST it is EACCES.",
    source="socket(7), SO_BROADCAST; ip(7), ERRORS",
    ipv6="IPv6 has no broadcast: everybody is in the group of all nodes, and nobody has to ask.",
    name="permission",
)
def asks_for_permission_first(timeline: Timeline) -> Verdict:
    """A sendto() that fails with EACCES and sends nothing, and after the option one that does."""
    for printed in timeline.calls.values():
        asked = next((call for call in printed if "SO_BROADCAST" in call.arguments), None)
        sends = [call for call in printed if call.name == "sendto"]
        if asked is None:
            continue
        before = [call for call in sends if call.number < asked.number]
        after = [call for call in sends if call.number > asked.number and call.result >= 0]
        to = {_target(call) for call in before}
        same = [call for call in after if _target(call) in to]
        if not before or not same:
            return undecided("the program did not send the same before and after", [asked.id])
        evidence = [before[0].id, asked.id, same[0].id]
        if any(call.error != "EACCES" for call in before):
            return broken(f"{before[0].id} did not fail with EACCES", evidence)
        several = _deliveries(timeline)
        groups = [call for call in after if _target(call) in (to | {str(EVERYBODY)})]
        if len(several) != len(groups):
            seen = f"{counted(len(several), 'broadcast')} of {counted(len(groups), 'send')}"
            return broken(f"{seen} after the option", evidence)
        said = f"{before[0].id} fails and sends nothing; {same[0].id} sends {several[-1].first.id}"
        return holds(said, [*evidence, *(each.first.id for each in several)])
    several = _deliveries(timeline)
    if several and several[0].first.packet.ip and several[0].first.packet.ip.source.version == 6:
        return holds(f"{several[0].first.id} was sent without", [several[0].first.id])
    return undecided("no program printed that it set SO_BROADCAST")


@claim(
    "Everybody on the link gets it, whether a program waits for it or not.",
    source="RFC 919, 4; RFC 894",
    ipv6="Everybody on the link gets what is for ff02::1, whether a program waits for it or not.",
    name="everybody",
)
def reaches_everybody_on_the_link(timeline: Timeline) -> Verdict:
    """Each broadcast comes to every host that no router is before."""
    several = _deliveries(timeline)
    if not several:
        return skipped(NOT_SENT)
    said: list[str] = []
    evidence: list[EventId] = []
    for each in several:
        near = _on_the_link(each.first.sender, timeline)
        evidence += each.evidence
        if missing := near - each.reached:
            return broken(f"{each.first.id} did not come to {', '.join(sorted(missing))}", evidence)
        to, wanted = _hardware(each.first.packet), _hardware_group(each.first.packet)
        if to != wanted:
            return broken(f"{each.first.id} went to {to}, not to {wanted}", evidence)
        said.append(f"{each.first.id} to {to} came to {', '.join(sorted(near))}")
    return holds(first_of(said), evidence)


@claim(
    "A router does not forward it.",
    source="RFC 1812, 5.3.5; RFC 4291, 2.5.6 and 2.7",
    name="not-forwarded",
)
def is_not_forwarded_by_a_router(timeline: Timeline) -> Verdict:
    """Nobody beyond the link gets it, though what is for him alone comes to him."""
    several = _deliveries(timeline)
    if not several:
        return skipped(NOT_SENT)
    evidence: list[EventId] = []
    beyond: set[str] = set()
    for each in several:
        near = _on_the_link(each.first.sender, timeline)
        evidence += each.evidence
        if far := each.reached - near - {each.first.sender}:
            return broken(f"{each.first.id} came to {', '.join(sorted(far))}", evidence)
        beyond |= {run.host for run in timeline.programs} - near - {each.first.sender}
    payloads = {each.first.packet.payload for each in several}
    alone: list[str] = []
    for host in sorted(beyond):
        reads = _reads_on(host, timeline)
        got = [call for call in reads if call.data in payloads]
        if got:
            return broken(f"{got[0].id}, on {host}, read it", [*evidence, got[0].id])
        came = [
            crossing for crossing in timeline.crossings
            if crossing.receiver == host and not crossing.lost and crossing.packet.udp
        ]  # fmt: skip
        if came and reads:
            alone.append(f"{host} reads {came[0].id}, which is for it alone, and nothing else")
            evidence += [came[0].id, reads[0].id]
    if not alone:
        return undecided("nothing shows that anybody beyond the router can be reached", evidence)
    return holds("; ".join(alone), evidence)


@claim(
    "Who joins a group says so, by a membership report.",
    source="RFC 9776, 5.1; ip(7), IP_ADD_MEMBERSHIP",
    ipv6="Who joins a group says so, by a multicast listener report.",
    name="reports",
)
def reports_the_membership(timeline: Timeline) -> Verdict:
    """A report of the group from each host whose program joined, and from no other."""
    reports = [
        (crossing, report.member_of)
        for crossing in timeline.crossings
        if crossing.sender not in timeline.recording.switches
        and (report := membership_of(crossing.packet)) is not None
    ]
    said: list[str] = []
    evidence: list[EventId] = []
    joined = _joins(timeline)
    if not joined:
        return undecided("no program printed that it joined a group")
    for host, (call, group) in joined.items():
        found = [each for each, groups in reports if each.sender == host and group in groups]
        if not found:
            return broken(f"{host} joined {group} by {call.id} and reported nothing", [call.id])
        said.append(f"{call.id}: {found[0].id}")
        evidence += [call.id, found[0].id]
    wanted = {group for _, group in joined.values()}
    for crossing, groups in reports:
        if crossing.sender not in joined and wanted.intersection(groups):
            what = f"{crossing.sender} reported it, and did not join"
            # Where one capture alone has it, what that saw may be what is wrong.
            if crossing.lost or crossing.sent_ns is None:
                return undecided(what, [crossing.id])
            return broken(what, [crossing.id])
    return holds(first_of(said), evidence)


@claim(
    "The group's hardware address has the last 23 bits of its address.",
    source="RFC 1112, 6.4",
    ipv6="The group's hardware address is 33:33 and the last 32 bits of its address.",
    name="hardware",
)
def goes_to_the_groups_hardware_address(timeline: Timeline) -> Verdict:
    """No neighbour is asked for: the address is computed. (RFC 2464, 7, for IPv6.)"""
    several = _to_groups(timeline)
    if not several:
        return skipped(NOT_SENT)
    for each in several:
        to, wanted = _hardware(each.first.packet), _hardware_group(each.first.packet)
        if to != wanted:
            return broken(f"{each.first.id} went to {to}, not to {wanted}", [each.first.id])
    first = several[0].first
    group = first.packet.ip.destination if first.packet.ip else ""
    return holds(f"{first.id} for {group} goes to {_hardware(first.packet)}", [first.id])


@claim(
    "A switch that does not listen to reports floods it: those who did not join get the frame too.",
    source="IEEE 802.1Q, 8.6; RFC 4541, 2.1",
    name="flooded",
)
def is_flooded_without_snooping(timeline: Timeline) -> Verdict:
    """It comes to every host of the link, members or not."""
    several = _to_groups(timeline)
    joined = _joins(timeline)
    for each in several:
        near = _on_the_link(each.first.sender, timeline)
        if missing := near - each.reached:
            gone = ", ".join(sorted(missing))
            return broken(f"{each.first.id} did not come to {gone}", each.evidence)
        others = sorted(near - set(joined))
        if others:
            what = f"{each.first.id} came to {', '.join(sorted(near))}"
            return holds(f"{what}, of which {', '.join(others)} did not join", each.evidence)
    return skipped("no datagram to a group was sent where somebody had not joined")


@claim(
    "It is read where a program has joined, and nowhere else.",
    source="RFC 1112, 7.2; ip(7), IP_ADD_MEMBERSHIP; RFC 4291, 2.7",
    name="members",
)
def is_read_by_members_alone(timeline: Timeline) -> Verdict:
    """Members' programs read it; another one's socket of that port gets what is for it alone."""
    several = _to_groups(timeline)
    if not several:
        return skipped(NOT_SENT)
    joined = _joins(timeline)
    evidence: list[EventId] = []
    said: list[str] = []
    payloads = {each.first.packet.payload for each in several}
    for run in timeline.programs:
        reads = _reads_on(run.host, timeline)
        got = [call for call in reads if call.data in payloads]
        evidence += [call.id for call in reads]
        if run.host in joined and len(got) < len(several):
            return broken(f"{run.host} joined, and did not read it", evidence)
        if run.host not in joined and got:
            return broken(f"{run.host} did not join, and read it: {got[0].id}", evidence)
        if run.host in joined:
            said.append(f"{got[0].id} reads it")
        elif reads:
            came = any(run.host in each.reached for each in several)
            how = ", which came to it" if came else ""
            said.append(f"{run.name} reads {counted(len(reads), 'datagram')}, but not that{how}")
    if not joined or len(said) == len(joined):
        return undecided("not both who joined and who did not have a program", evidence)
    evidence += [event for each in several for event in each.evidence]
    return holds("; ".join(said), evidence)


def _to_groups(timeline: Timeline) -> list[_Delivery]:
    """Those to the members of a group; no interface need have been seen to know them."""
    groups = [each for each in timeline.crossings if each.packet.ip is not None]
    groups = [each for each in groups if each.packet.ip and each.packet.ip.destination.is_multicast]
    return _deliveries(replace(timeline, crossings=tuple(groups))) if groups else []


def _deliveries(timeline: Timeline) -> list[_Delivery]:
    """The UDP datagrams to several hosts, each with its copies, in order of their first frames."""
    found: defaultdict[bytes, list[Crossing]] = defaultdict(list)
    for crossing in timeline.crossings:
        if crossing.packet.udp is not None and _is_to_several(crossing.packet, timeline):
            found[crossing.packet.frame.data].append(crossing)
    switches = timeline.recording.switches
    return [
        _Delivery(every[0], tuple(every))
        for every in found.values()
        if every[0].sender not in switches
    ]


def _is_to_several(packet: Packet, timeline: Timeline) -> bool:
    ip = packet.ip
    if ip is None:
        return False
    return ip.destination.is_multicast or ip.destination == EVERYBODY or _is_subnets(ip, timeline)


def _is_subnets(ip: object, timeline: Timeline) -> bool:
    """Whether it is for a subnet's last address, which is everybody's (RFC 922, 6)."""
    return isinstance(ip, IPv4) and any(
        ip.destination == address.network.broadcast_address
        for seen in timeline.recording.interfaces
        for address in seen.addresses
        if address.version == 4 and address.network.prefixlen < 31
    )


def _on_the_link(host: str, timeline: Timeline) -> frozenset[str]:
    """The other hosts that are joined with it by links and switches, and not by routers."""
    switches = timeline.recording.switches
    joined: defaultdict[str, set[str]] = defaultdict(set)
    for point in timeline.recording.points:
        joined[point.link].add(point.host)
    reached, todo = {host}, [host]
    while todo:
        at = todo.pop()
        for ends in joined.values():
            if at in ends and (at == host or at in switches):
                todo += sorted(ends - reached)
                reached |= ends
    return frozenset(reached - {host}) - frozenset(switches)


def _hardware(packet: Packet) -> str:
    layer = packet.layers[0] if packet.layers else None
    return layer.destination if isinstance(layer, Ethernet) else ""


def _hardware_group(packet: Packet) -> str:
    """Where such a packet goes. Source: RFC 894; RFC 1112, 6.4; RFC 2464, 7."""
    ip = packet.ip
    assert ip is not None, "a datagram has an IP header"
    to = ip.destination.packed
    if not ip.destination.is_multicast:
        return BROADCAST
    if ip.destination.version == 4:
        return bytes((1, 0, 0x5E, to[1] & 0x7F, *to[2:])).hex(":")
    return bytes((0x33, 0x33, *to[-4:])).hex(":")


def _joins(timeline: Timeline) -> dict[str, tuple[PrintedCall, IPAddress]]:
    """By host the call that joined a group there, and the group."""
    found: dict[str, tuple[PrintedCall, IPAddress]] = {}
    for run in timeline.programs:
        for call in timeline.calls[run.name]:
            if JOINS.intersection(map(str, call.arguments)) and not call.result:
                found[run.host] = call, ip_address(str(call.argument(3)))
    return found


def _target(call: PrintedCall) -> str:
    """The address that a sendto() was given."""
    to = call.argument(2)
    return str(to[0]) if isinstance(to, tuple) else ""


def _reads_on(host: str, timeline: Timeline) -> tuple[PrintedCall, ...]:
    calls: Iterable[PrintedCall] = (
        call for run in timeline.programs if run.host == host for call in timeline.calls[run.name]
    )
    return reads_of(calls)
