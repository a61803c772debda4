"""Checks of what switches and routers do to the frames that they forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.packets.packet import Ethernet
from lab.model.claim import Verdict, broken, claim, frame_ids, holds, skipped, undecided
from lab.model.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.analysis.flows.crossing import Crossing, Hop
    from lab.analysis.packets.packet import Packet
    from lab.analysis.timeline import Timeline
    from lab.model.event import EventId

GROUP_BIT = 0x01


@claim(
    "A router counts the TTL (hop limit) down by one.",
    source="RFC 1812, 5.3.1; RFC 8200, 3",
    name="ttl",
)
def counts_the_ttl_down(timeline: Timeline) -> Verdict:
    """Of every packet that a router forwarded, before and after it."""
    seen: list[int] = []
    for crossing, before, after in _forwarded(timeline, timeline.recording.routers):
        old, new = before.packet.lifetime, after.packet.lifetime
        if old is None or new is None or new != old - 1:
            return broken(
                f"{after.sender} made {new} of {old} in {crossing.id}", frame_ids([crossing.number])
            )
        seen.append(crossing.number)
    if not seen:
        return skipped("no packet was forwarded by a router")
    return holds(f"{counted(len(seen), 'packet')} forwarded so", frame_ids(dict.fromkeys(seen)))


@claim(
    "Hardware addresses change on each link; IP addresses stay the same.",
    source="RFC 1812, 2.2.3; RFC 826",
    name="addresses",
)
def changes_hardware_addresses_only(timeline: Timeline) -> Verdict:
    """What a router forwarded left it from its own address, to the next neighbour's.

    By its IP addresses a packet is known again behind a router: with others it would be one that
    came and did not go on, which decides nothing. Behind a NAT it is known with others as well.
    """
    stopped = [crossing.number for crossing in timeline.crossings if _has_stopped(crossing)]
    if stopped:
        return undecided(
            f"{counted(len(stopped), 'packet')} came to a router and did not go on as it was",
            frame_ids(stopped),
        )
    seen: list[int] = []
    for crossing, before, after in _forwarded(timeline, timeline.recording.routers):
        old, new = _ethernet(before.packet), _ethernet(after.packet)
        evidence = frame_ids([crossing.number])
        if old is None or new is None:
            return broken(f"{crossing.id} is no frame of Ethernet", evidence)
        if {old.source, old.destination} & {new.source, new.destination}:
            return broken(f"{crossing.id} kept a hardware address at {after.sender}", evidence)
        if _ip_addresses(before.packet) != _ip_addresses(after.packet):
            return broken(f"{after.sender} changed an IP address of {crossing.id}", evidence)
        seen.append(crossing.number)
    if not seen:
        return skipped("no packet was forwarded by a router")
    return holds(
        f"{counted(len(seen), 'packet')}: two other hardware addresses, the same IP addresses",
        frame_ids(dict.fromkeys(seen)),
    )


@claim(
    "A switch forwards a frame as it is, not a byte changed.",
    source="IEEE 802.1Q, 6.8; RFC 826",
    name="same-bytes",
)
def forwards_frames_as_they_are(timeline: Timeline) -> Verdict:
    """A switch sends no frame that did not come to it with the same bytes."""
    switches = timeline.recording.switches
    came = {(crossing.receiver, _data(crossing)) for crossing in timeline.crossings}
    came |= {(hop.receiver, hop.data) for crossing in timeline.crossings for hop in crossing.hops}
    for crossing in timeline.crossings:
        if crossing.sender in switches and (crossing.sender, _data(crossing)) not in came:
            return broken(
                f"{crossing.sender} sent {crossing.id}, and no such frame came to it",
                frame_ids([crossing.number]),
            )
    seen = [crossing for crossing, _, _ in _forwarded(timeline, switches)]
    if not seen:
        return skipped("no frame was forwarded by a switch")
    return holds(f"{counted(len(seen), 'frame')} with the same bytes", _ids(seen))


@claim(
    "A switch floods a broadcast; to a host that it knows it sends alone.",
    source="IEEE 802.1Q, 8.6 and 8.7",
    name="floods",
)
def floods_broadcasts_alone(timeline: Timeline) -> Verdict:
    """Copies that a switch made, of what was sent to a group, and of what was not.

    It knows those who have sent a frame before. What is for another host it floods as well.
    """
    switches = timeline.recording.switches
    copies: list[Crossing] = []
    known: set[str] = set()
    for crossing in timeline.crossings:
        layer = _ethernet(crossing.packet)
        if layer is None:
            continue
        if crossing.sender not in switches:
            known.add(layer.source)
        elif _is_to_a_group(crossing.packet):
            copies.append(crossing)
        elif layer.destination in known:
            said = f"{crossing.sender} sent a copy of a frame for {layer.destination}"
            return broken(f"{said} to {crossing.receiver}", _ids([crossing]))
    forwarded = [
        crossing for crossing, _, _ in _forwarded(timeline, switches)
        if not _is_to_a_group(crossing.packet)
    ]  # fmt: skip
    if not copies or not forwarded:
        return skipped("no broadcast came to a switch, or nothing else did")
    return holds(
        f"a broadcast went on to {counted(len(copies), 'host')} that it was not about, and none of "
        f"{counted(len(forwarded), 'frame')} for one host did",
        _ids([*copies, *forwarded]),
    )


def _forwarded(timeline: Timeline, devices: Iterable[str]) -> Iterator[tuple[Crossing, Hop, Hop]]:
    """Each frame that one of the devices forwarded, and its links before and after that."""
    known = frozenset(devices)
    for crossing in timeline.crossings:
        for before, after in crossing.forwarded:
            if after.sender in known:
                yield crossing, before, after


def _has_stopped(crossing: Crossing) -> bool:
    """Whether it came to a switch or router that it was not for, and was not seen leaving it."""
    return crossing.lost and bool(crossing.hops) and crossing.hops[-1].received_ns is not None


def _data(crossing: Crossing) -> bytes:
    return crossing.packet.frame.data


def _ethernet(packet: Packet) -> Ethernet | None:
    layer = packet.layers[0] if packet.layers else None
    return layer if isinstance(layer, Ethernet) else None


def _ip_addresses(packet: Packet) -> tuple[object, object] | None:
    return None if packet.ip is None else (packet.ip.source, packet.ip.destination)


def _is_to_a_group(packet: Packet) -> bool:
    """Whether a frame goes to several stations: broadcast or multicast. Source: IEEE 802, 8.2.2."""
    layer = _ethernet(packet)
    return layer is not None and bool(int(layer.destination[:2], 16) & GROUP_BIT)


def _ids(crossings: Iterable[Crossing]) -> tuple[EventId, ...]:
    return frame_ids(dict.fromkeys(crossing.number for crossing in crossings))
