"""Why a datagram to a group was read by nobody: not joined, another interface, no hop left."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING

from lab.analysis.calls.options import (
    IP_ADD_MEMBERSHIP,
    IP_MULTICAST_IF,
    IPV6_ADD_MEMBERSHIP,
    IPV6_MULTICAST_IF,
    MCAST_JOIN_GROUP,
    MCAST_JOIN_SOURCE_GROUP,
)
from lab.analysis.causes.facts.cause import Cause, Surprise
from lab.analysis.causes.facts.step_facts import StepFacts, known_ids, named
from lab.analysis.flows.flow import ends_of
from lab.frozen import frozen
from lab.model.address import SocketAddress

if TYPE_CHECKING:
    from lab.analysis.calls.system_call import SystemCall
    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.packets.packet import IPAddress
    from lab.analysis.sockets.endpoint import Endpoint


@frozen
class _Joined:
    """A call by which a socket joined a group."""

    call: SystemCall
    socket: Endpoint
    group: IPAddress
    interface: IPv4Address | None
    """The address of the interface that it joined it on; None where it names none, or a number."""


def unheard_groups(facts: StepFacts) -> Iterator[Cause]:
    """The causes why datagrams to a group, which came to a host, came to no socket there."""
    joined = list(_joins(facts))
    for flow in facts.timeline.flows:
        for crossing in flow.crossings if flow.protocol == "udp" else ():
            ends = ends_of(crossing)
            if ends is None or not ends[1].address.is_multicast or not facts.is_traced:
                continue
            is_own = crossing.sender == crossing.receiver
            if is_own:
                cause = _left_by_loopback(facts, joined, crossing, ends[1])
            else:
                cause = _not_joined(facts, joined, crossing, ends[1])
                cause = cause or _stays_on_its_network(facts, joined, crossing, ends[1])
            if cause is not None:
                yield cause


def _joins(facts: StepFacts) -> Iterator[_Joined]:
    """The memberships of sockets. Source: ip(7); ipv6(7)."""
    for endpoint in facts.timeline.endpoints:
        for call in facts.calls_on(endpoint, "setsockopt"):
            argument = call.argument("optval")
            value = b"" if argument is None or argument.value is None else argument.value
            if call.option == IP_ADD_MEMBERSHIP and len(value) >= 8:
                address = IPv4Address(value[4:8])
                on = None if address.is_unspecified else address
                yield _Joined(call, endpoint, IPv4Address(value[:4]), on)
            elif call.option == IPV6_ADD_MEMBERSHIP and len(value) >= 16:
                yield _Joined(call, endpoint, IPv6Address(value[:16]), None)


def _not_joined(
    facts: StepFacts, joined: list[_Joined], crossing: Crossing, place: SocketAddress
) -> Cause | None:
    """It came to a host that has a socket for its port, and is not in the group there."""
    host = crossing.receiver
    readers = [
        each
        for each in facts.sockets(host, "udp")
        if isinstance(each.local, SocketAddress)
        and each.local.port == place.port
        and any(facts.calls_on(each, "bind"))
    ]
    if not readers or crossing.received_ns is None or crossing.id in facts.was_read:
        return None
    if any(_joins_otherwise(facts, each) for each in readers):
        return None
    here = [each for each in joined if each.socket.host == host and each.group == place.address]
    on_time = [each for each in here if each.call.entry_ns < crossing.received_ns]
    came_by = _addresses_of_arrival(facts, crossing)
    if any(each.interface is None or each.interface in came_by for each in on_time):
        return None
    reader = readers[0]
    bind = next(facts.calls_on(reader, "bind"), None)
    if on_time:
        first = on_time[0]
        how = (
            f"has joined it by {named(first.call)} on the interface that has {first.interface}, "
            "and not on the one by which it came"
        )
    elif here:
        first = here[0]
        how = f"joined it only later, by {named(first.call)}"
    else:
        how = "has not joined it (IP_ADD_MEMBERSHIP, IPV6_ADD_MEMBERSHIP)"
    return Cause(
        "group-not-joined",
        f"The datagram ({crossing.id}) to the group {place.address} came to {host}, and no socket "
        f"got it: that of {reader.program} on port {place.port} {how}.",
        reader.program,
        known_ids(bind, crossing.id, here[0].call if here else None),
        "ip(7), IP_ADD_MEMBERSHIP; RFC 1112, 7.1",
        Surprise.ELSEWHERE,
    )


def _joins_otherwise(facts: StepFacts, socket: Endpoint) -> bool:
    """Whether it may be in groups by an option whose value is not looked into."""
    options = (MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP)
    return any(
        call.option is not None and call.option.number in options
        for call in facts.calls_on(socket, "setsockopt")
    )


def _addresses_of_arrival(facts: StepFacts, crossing: Crossing) -> set[IPAddress]:
    """Those of the interface by which it came to its receiver."""
    recording = facts.timeline.recording
    link = next(
        (each.link for each in recording.points if each.name == crossing.arrived.frame.point), None
    )
    names = {
        each.interface
        for each in recording.points
        if (each.host, each.link) == (crossing.receiver, link)
    }
    return {
        address.ip
        for seen in recording.interfaces
        if seen.host == crossing.receiver and seen.name in names
        for address in seen.addresses
    }


def _stays_on_its_network(
    facts: StepFacts, joined: list[_Joined], crossing: Crossing, place: SocketAddress
) -> Cause | None:
    """It has no hop left for the router between it and who has joined. Source: RFC 1112, 6.1."""
    lifetime = crossing.packet.lifetime
    call = facts.sent_by.get(crossing.id)
    if lifetime is None or lifetime > 1 or call is None:
        return None
    near = _networks(facts, crossing.sender)
    far = [
        each
        for each in joined
        if each.group == place.address and not near & _networks(facts, each.socket.host)
    ]
    if not far:
        return None
    version = place.address.version
    option, name = (
        ("IP_MULTICAST_TTL", "TTL") if version == 4 else ("IPV6_MULTICAST_HOPS", "hop limit")
    )
    return Cause(
        "group-stays-near",
        f"The datagram ({crossing.id}) of {named(call)} to the group {place.address} has a {name} "
        f"of {lifetime}, and so goes no further than its own network: {far[0].socket.host}, where "
        f"{far[0].socket.program} has joined the group, is behind a router. {option} sets it.",
        call.program,
        known_ids(call, crossing.id, far[0].call),
        "RFC 1112, 6.1; ip(7), IP_MULTICAST_TTL",
        Surprise.ELSEWHERE,
    )


def _networks(facts: StepFacts, host: str) -> set[IPv4Network | IPv6Network]:
    """Those that the host's interfaces are in, without loopback."""
    return {
        address.network
        for seen in facts.timeline.recording.interfaces
        if seen.host == host
        for address in seen.addresses
        if not address.ip.is_loopback and not address.ip.is_link_local
    }


def _left_by_loopback(
    facts: StepFacts, joined: list[_Joined], crossing: Crossing, place: SocketAddress
) -> Cause | None:
    """It went out by `lo`, and those who have joined the group are on other hosts."""
    call = facts.sent_by.get(crossing.id)
    others = [
        each
        for each in joined
        if each.group == place.address and each.socket.host != crossing.sender
    ]
    socket = None if call is None else facts.timeline.endpoint_of.get(call.socket)
    if call is None or socket is None or not others:
        return None
    is_six = place.address.version == 6
    asked = facts.option_call(socket, IPV6_MULTICAST_IF if is_six else IP_MULTICAST_IF)
    if asked is None:
        return None
    return Cause(
        "group-by-loopback",
        f"The datagram ({crossing.id}) of {named(call)} to the group {place.address} left by lo, "
        f"as {named(asked)} says, and reached no other host: {others[0].socket.program} has "
        f"joined the group on {others[0].socket.host}.",
        call.program,
        known_ids(asked, call, crossing.id, others[0].call),
        "ip(7), IP_MULTICAST_IF",
        Surprise.ELSEWHERE,
    )
