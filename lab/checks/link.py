"""Checks of what any exchange over a link shows, whatever its transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.transcript import reads_of
from lab.analysis.packets.packet import Arp, Ethernet, Icmp, Tcp, Udp
from lab.model.claim import Verdict, broken, claim, frame_ids, holds, nothing_seen, undecided
from lab.model.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.analysis.flows.crossing import Crossing
    from lab.analysis.packets.packet import IPAddress
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

ARP_REQUEST, ARP_REPLY = 1, 2
NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT = 135, 136


@claim(
    "Every checksum is right.",
    source="RFC 1071; RFC 9293, 3.1; RFC 791, 3.1; RFC 8200, 8.1",
    name="checksums",
)
def has_right_checksums(*timelines: Timeline) -> Verdict:
    """IPv4 header, TCP, UDP and ICMP checksums of every frame, computed again."""
    return check_checksums(timelines) or broken("no frame has a checksum")


def check_checksums(timelines: Iterable[Timeline]) -> Verdict | None:
    """The verdict on the checksums of every frame that a host sent; None if none has one.

    Of one that was forwarded, on each of its links.

    A UDP checksum of zero over IPv4 is none at all: "the transmitter generated no checksum"
    (RFC 768). Over IPv6 it is wrong (RFC 8200, 8.1). On lo the transport's is left to a network
    card that there is not (Linux, drivers/net/loopback.c: NETIF_F_HW_CSUM), which is no fault.
    """
    timelines = tuple(timelines)
    checked = looped = 0
    without = doubtful = None
    sent = (c for timeline in timelines for c in timeline.crossings if not c.is_made)
    for crossing in sent:
        right = crossing.right_checksums
        if right or (doubtful and crossing.is_plain):
            checked += right
            continue
        event = [crossing.id]
        packets = [hop.packet for hop in crossing.hops] or [crossing.packet]
        for packet in packets:
            if packet.malformed is not None:
                return broken(f"{crossing.id} is malformed: {packet.malformed.reason}", event)
        for layer in (layer for packet in packets for layer in packet.layers):
            ok = getattr(layer, "checksum_ok", True)
            if ok is False and _is_left_on_lo(crossing, layer):
                looped += 1
            elif ok is False:
                said = f"{crossing.id} has a wrong {type(layer).__name__} checksum"
                if crossing.lost:
                    # One capture alone has it so: what it saw may be what is wrong.
                    doubtful = doubtful or undecided(f"{said}, where it left alone", event)
                else:
                    return broken(said, event)
            elif ok is None and isinstance(layer, Udp) and not layer.checksum:
                without = without or crossing.id
            elif ok is None:
                why = f"{crossing.id}: its {type(layer).__name__} checksum cannot be computed"
                doubtful = doubtful or undecided(why, event)
            else:
                checked += hasattr(layer, "checksum_ok")
    if doubtful is not None:
        return doubtful
    on_lo = f"on lo, where no card computes them, {counted(looped, 'checksum')} left out"
    if not checked:
        return nothing_seen(on_lo) if looped else None
    seen = frame_ids(c.number for t in timelines for c in t.crossings if not c.is_made)
    none = f"; {without} has no UDP checksum, which IPv4 allows" if without else ""
    if looped:
        none += f"; {on_lo}"
    return holds(f"{counted(checked, 'checksum')} computed again, all right{none}", seen)


def _is_left_on_lo(crossing: Crossing, layer: object) -> bool:
    """Whether a host sent it to itself with the checksum that is to be computed by a card."""
    own = crossing.sender == crossing.receiver != ""
    return own and isinstance(layer, Tcp | Udp) and layer.is_left_to_card


@claim(
    "ARP or Neighbor Discovery comes first: it finds the hardware address.",
    source="RFC 826; RFC 4861, 7.2",
    name="neighbour",
    by_headers=True,
)
def finds_the_neighbour_first(timeline: Timeline) -> Verdict:
    """The hardware address is asked for and answered before the first IP packet is sent to it."""
    first = next((c for c in timeline.crossings if c.packet.tcp or c.packet.udp), None)
    if first is None or first.packet.ip is None:
        return broken("no TCP segment or UDP datagram was seen")
    destination, near = first.packet.ip.destination, _next_hop(first, timeline)
    question = answer = None
    for crossing in timeline.crossings[: timeline.crossings.index(first)]:
        arp, icmp = crossing.packet.arp, crossing.packet.icmp
        asked = _asked_for(arp, icmp)
        if question is None and crossing.sender == first.sender and asked in near:
            question, destination = crossing, asked
        elif question is not None and (answered := _answered_address(arp, icmp, destination)):
            answer = crossing
            hardware_address = answered
    if question is None:
        return broken(f"nobody asked who has {destination}", [first.id])
    if answer is None:
        return broken(
            f"nobody answered who has {destination} before the first packet went there",
            frame_ids([question.number, first.number]),
        )
    evidence = frame_ids([question.number, answer.number, first.number])
    ethernet = first.packet.layers[0]
    protocol = "ARP" if answer.packet.arp else "Neighbor Discovery"
    if not isinstance(ethernet, Ethernet) or ethernet.destination != hardware_address:
        return broken(f"the first packet does not go to {hardware_address}, as answered", evidence)
    return holds(
        f"{protocol} answers that {destination} is at {hardware_address}; the first packet goes "
        "there: a frame needs a hardware address, a program knows only the IP address",
        evidence,
    )


def _next_hop(first: Crossing, timeline: Timeline) -> frozenset[IPAddress]:
    """The addresses that its sender may look for: the destination's, or those of a router."""
    assert first.packet.ip is not None, "it is asked of packets with TCP or UDP"
    router = next(
        (hop.receiver for hop in first.hops if hop.receiver in timeline.recording.routers), None
    )
    if router is None:
        return frozenset((first.packet.ip.destination,))
    return frozenset(
        address.ip
        for seen in timeline.recording.interfaces
        if seen.host == router
        for address in seen.addresses
    )


def _asked_for(arp: Arp | None, icmp: Icmp | None) -> IPAddress | None:
    """The address whose hardware address a frame asks for; None where it asks for none."""
    if arp is not None:
        return arp.target if arp.operation == ARP_REQUEST else None
    return icmp.target if icmp is not None and icmp.type == NEIGHBOR_SOLICITATION else None


def _answered_address(arp: Arp | None, icmp: Icmp | None, address: IPAddress) -> str | None:
    """The hardware address that an answer gives for an IP address."""
    if arp is not None and arp.operation == ARP_REPLY and arp.sender == address:
        return arp.sender_hardware
    if icmp is not None and icmp.type == NEIGHBOR_ADVERTISEMENT and icmp.target == address:
        return icmp.link_layer
    return None


@claim(
    "Unix sockets put no frame on any device of any host, lo included.",
    source="unix(7); socket(2), AF_UNIX",
    statements=("S2", "D1", "U1"),
    name="silent",
)
def puts_no_frame_anywhere(*timelines: Timeline) -> Verdict:
    """Bytes went from program to program, and no device of any host saw a frame."""
    recording = timelines[0].recording
    captured = {(point.host, point.interface) for point in recording.points}
    if not captured:
        return undecided("nothing was captured, on any device")
    for seen in recording.interfaces:
        if (seen.host, seen.name) not in captured:
            return undecided(f"{seen.host}/{seen.name} was not captured")
    witnessed = {(seen.host, seen.name) for seen in recording.interfaces}
    for host, interface in sorted(captured - witnessed):
        # Who does not see what is there may have missed a device that nobody captured.
        return undecided(f"{host}/{interface} was captured, and not seen among the interfaces")
    frames = [crossing for timeline in timelines for crossing in timeline.crossings]
    if frames:
        names = ", ".join(sorted({crossing.packet.frame.point for crossing in frames}))
        return broken(
            f"{counted(len(frames), 'frame')} seen, at {names}",
            frame_ids(crossing.number for crossing in frames),
        )
    evidence: list[EventId] = []
    total = 0
    for timeline in timelines:
        calls = [call for printed in timeline.calls.values() for call in printed]
        if not calls:
            return undecided(f"the programs of step {timeline.step} printed no calls")
        reads = reads_of(calls)
        total += sum(call.result for call in reads)
        evidence += [call.id for call in reads]
    if not total:
        return undecided("no program printed that it read anything", evidence)
    return holds(
        f"{counted(total, 'byte')} read, and not one frame seen between the canaries at "
        f"{', '.join(point.name for point in recording.points)}",
        evidence,
    )
