"""Checks of what a NAT does to what it forwards, and of what it does not forward."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from lab.analysis.flows.changes import changes
from lab.analysis.flows.flow import ends_of, transport_endpoints
from lab.analysis.packets.packet import IPv4, IPv6
from lab.model.claim import Verdict, broken, claim, frame_ids, holds, skipped, undecided
from lab.model.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.analysis.flows.changes import Change
    from lab.analysis.flows.crossing import Crossing, Hop
    from lab.analysis.flows.flow import Flow
    from lab.analysis.packets.packet import IPAddress
    from lab.analysis.timeline import Timeline
    from lab.model.address import SocketAddress
    from lab.model.event import EventId

ENDS = ("source", "destination", "identifier", "quoted_source", "quoted_destination")
NO_NAT = "no packet was translated by a NAT"


@claim(
    "A NAT changes the source of what leaves, and the destination of what answers; nothing else.",
    source="RFC 3022, 4.1; RFC 2663, 3.2",
    name="one-end",
)
def changes_one_end_alone(timeline: Timeline) -> Verdict:
    """And it takes the change back as it made it: each connection has one address and port.

    What a router changes of each packet, and the checksums, are changed besides.
    """
    stopped = [each for each in timeline.crossings if _has_stopped(each, timeline)]
    if stopped:
        return undecided(
            f"{counted(len(stopped), 'packet')} came to a NAT and did not go on", _ids(stopped)
        )
    outer: dict[tuple[str, SocketAddress, SocketAddress], tuple[SocketAddress, int]] = {}
    seen: list[int] = []
    for crossing, _, hop, changed in _translated(timeline):
        if crossing.packet.icmp is not None:
            continue
        fields = {change.field for change in changed}
        is_leaving = _is_outside(hop, timeline)
        evidence = frame_ids([crossing.number])
        wanted = "source" if is_leaving else "destination"
        if fields != {wanted}:
            return broken(
                f"{hop.sender} changed {' and '.join(sorted(fields))} of {crossing.id}", evidence
            )
        place = 0 if is_leaving else 1
        ends, as_sent, after = (
            ends_of(crossing),
            transport_endpoints(crossing.packet),
            transport_endpoints(hop.packet),
        )
        if ends is None or as_sent is None or after is None:
            continue
        inside = ends[place]
        mapped = after[0] if is_leaving else as_sent[1]
        key = hop.sender, inside, ends[1 - place]
        known, first = outer.setdefault(key, (mapped, crossing.number))
        if known != mapped:
            return broken(
                f"{inside} was {known} first, and {mapped} in {crossing.id}",
                frame_ids([first, crossing.number]),
            )
        seen.append(crossing.number)
    if not seen:
        return skipped(NO_NAT)
    return holds(
        f"{counted(len(seen), 'packet')} of {counted(len(outer), 'connection')}: "
        + ", ".join(f"{inside} is {mapped}" for (_, inside, _), (mapped, _) in outer.items()),
        frame_ids(dict.fromkeys(seen)),
    )


@claim(
    "Two hosts that use one port come to a server as one address, with a port each.",
    source="RFC 3022, 2.2; RFC 6056, 3",
    name="own-port",
)
def gives_each_its_own_port(timeline: Timeline) -> Verdict:
    """Of connections from one port of several hosts to one address and port."""
    same: defaultdict[
        tuple[str, int, SocketAddress], dict[SocketAddress, tuple[SocketAddress, int]]
    ]
    same = defaultdict(dict)
    for crossing, _, hop, _ in _translated(timeline):
        ends, after = ends_of(crossing), transport_endpoints(hop.packet)
        if ends is None or after is None or not _is_outside(hop, timeline):
            continue
        protocol = "udp" if crossing.packet.tcp is None else "tcp"
        mapped = after[0], crossing.number
        same[protocol, ends[0].port, ends[1]].setdefault(ends[0], mapped)
    for (_, port, _), mapped_of in same.items():
        if len(mapped_of) < 2:
            continue
        given = [each for each, _ in mapped_of.values()]
        evidence = frame_ids(number for _, number in mapped_of.values())
        what = ", ".join(f"{inside} is {outside}" for inside, (outside, _) in mapped_of.items())
        if len(set(given)) < len(given):
            return broken(f"two have the same: {what}", evidence)
        if len({each.address for each in given}) > 1:
            return broken(f"they have not one address: {what}", evidence)
        return holds(f"port {port} of {counted(len(given), 'host')}: {what}", evidence)
    return skipped("no two hosts behind a NAT used one port to the same place")


@claim(
    "No packet outside of a NAT has an address from inside.",
    source="RFC 1918, 3; RFC 3022, 2",
    name="hidden",
)
def shows_no_address_from_inside(timeline: Timeline) -> Verdict:
    """Neither as source nor as destination, nor in what an ICMP error quotes.

    Addresses from inside are those that a NAT has changed into its own, on the links that its
    outside interfaces are on.
    """
    inside: set[IPAddress] = set()
    for _, before, after, changed in _translated(timeline):
        is_leaving = _is_outside(after, timeline)
        ip = before.packet.ip if is_leaving else after.packet.ip
        if ip is not None and {"source", "destination"} & {change.field for change in changed}:
            inside.add(ip.source if is_leaving else ip.destination)
    if not inside:
        return skipped(NO_NAT)
    seen: list[int] = []
    for crossing in timeline.crossings:
        for link in crossing.hops or (crossing,):
            if not _is_outside(link, timeline):
                continue
            ip = link.packet.ip
            quoted = link.packet.icmp.quoted if link.packet.icmp is not None else ()
            for layer in (ip, *quoted):
                if not isinstance(layer, IPv4 | IPv6):
                    continue
                for address in (layer.source, layer.destination):
                    if address in inside:
                        where = _link(link, timeline)
                        return broken(f"{address} is in {crossing.id} on {where}", _ids([crossing]))
            if ip is not None:
                seen.append(crossing.number)
    hidden = " or ".join(sorted(map(str, inside)))
    return holds(
        f"{counted(len(seen), 'packet')} outside, none with {hidden}",
        frame_ids(dict.fromkeys(seen)),
    )


@claim(
    "What nobody inside has asked for is not delivered inside.",
    source="RFC 4787, 5; RFC 5382, 5",
    name="unsolicited",
)
def keeps_the_unsolicited_out(timeline: Timeline) -> Verdict:
    """A conversation that begins outside ends at the NAT.

    Though it is sent to an address and port that the NAT has given to somebody inside.
    """
    given = {
        ends[0]
        for _, _, hop, _ in _translated(timeline)
        if _is_outside(hop, timeline) and (ends := transport_endpoints(hop.packet)) is not None
    }
    stopped: list[Flow] = []
    for flow in timeline.flows:
        first = flow.crossings[0]
        for before, after in first.forwarded:
            is_in = _is_outside(before, timeline) and not _is_outside(after, timeline)
            if is_in and after.sender in timeline.recording.nats:
                return broken(
                    f"{flow.a} began with {first.id}, which {after.sender} sent on to "
                    f"{first.receiver}",
                    frame_ids([first.number]),
                )
        to = transport_endpoints(first.packet)
        if first.receiver in timeline.recording.nats and to is not None and to[1] in given:
            stopped.append(flow)
    if not stopped:
        return skipped("nothing came to a NAT that nobody inside had asked for")
    refused = sum(bool(flow.errors) for flow in stopped)
    also = f"; the NAT itself refused {refused} of them by ICMP" if refused else ""
    every = [each for flow in stopped for each in (*flow.crossings, *flow.errors)]
    return holds(
        f"{counted(len(stopped), 'packet')} to {', '.join(str(flow.b) for flow in stopped)}, which "
        f"is somebody inside to others, went no further{also}",
        _ids(every),
    )


def _translated(
    timeline: Timeline,
) -> Iterator[tuple[Crossing, Hop, Hop, tuple[Change, ...]]]:
    """Each packet that a NAT translated, its links before and behind that, and what it changed."""
    for crossing in timeline.crossings:
        for before, after in crossing.forwarded:
            if after.sender not in timeline.recording.nats:
                continue
            changed = tuple(
                change for change in changes(before.packet, after.packet) if change.field in ENDS
            )
            if changed:
                yield crossing, before, after, changed


def _has_stopped(crossing: Crossing, timeline: Timeline) -> bool:
    """Whether it came to a NAT that it was not for, and was not seen leaving it."""
    last = crossing.hops[-1] if crossing.lost and crossing.hops else None
    nats = timeline.recording.nats
    return last is not None and last.received_ns is not None and last.receiver in nats


def _is_outside(hop: Crossing | Hop, timeline: Timeline) -> bool:
    """Whether it is on a link that a NAT's outside interface is on."""
    outside = timeline.recording.outside
    links = {point.link for point in timeline.recording.points if point.name in outside}
    return _link(hop, timeline) in links


def _link(hop: Crossing | Hop, timeline: Timeline) -> str:
    name = hop.packet.frame.point
    return next(point.link for point in timeline.recording.points if point.name == name)


def _ids(crossings: Iterable[Crossing]) -> tuple[EventId, ...]:
    return frame_ids(dict.fromkeys(crossing.number for crossing in crossings))
